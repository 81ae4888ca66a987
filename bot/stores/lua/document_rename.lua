-- key of this change, most keys, folded path, path, base, other path folded, other path
-- -> { 'written', path, version, bytes used } or { 'stale', path, version } or { 'taken', path }
local change, most, folded, path, base, other, to = unpack(ARGV, 6)

local before = done_before(change, to)
if before then
  return before
end
local id, stands, version = document(folded)
if not id or version ~= tonumber(base) then
  return { 'stale', stands or path, version }
end
local other_id, at_other = document(other)
if other_id and other_id ~= id then
  return { 'taken', at_other }
end
redis.call('HDEL', PATHS, folded)
redis.call('HSET', PATHS, other, id)
redis.call('HSET', part('doc', id), 'path', to, 'folded', other)
return done(change, most, to, version)
