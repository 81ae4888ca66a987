-- key of this change, most keys, folded path, path, base
-- -> { 'written', path, version, bytes used } or { 'stale', path, version }
local change, most, folded, path, base = unpack(ARGV, 6)

local before = done_before(change, path)
if before then
  return before
end
local id, stands, version = document(folded)
if not id or version ~= tonumber(base) then
  return { 'stale', stands or path, version }
end
drop(id)
return done(change, most, stands, version)
