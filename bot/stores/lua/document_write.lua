-- space, key of this change, most keys, folded path, path, base, text, meta, most documents, most bytes
-- -> { 'written', path, version, bytes used } or { 'stale', path, version } or { 'many' } or { 'full', bytes used }
local space, change, most, folded, path, base, text, meta, documents, bytes = unpack(ARGV, 6)

local before = done_before(change, path)
if before then
  return before
end
local id, stands, version = document(folded)
if version ~= tonumber(base) then
  return { 'stale', stands or path, version }
end
if used() + #text + #meta > tonumber(bytes) then
  return { 'full', used() }
end
if not id then
  if redis.call('HLEN', PATHS) >= tonumber(documents) then
    return { 'many' }
  end
  redis.call('HSET', SPACE, 'key', space)
  id = redis.call('HINCRBY', SPACE, 'ids', 1)
  redis.call('HSET', PATHS, folded, id)
  redis.call('HSET', part('doc', id), 'path', path, 'folded', folded)
  stands = path
end
version = redis.call('HINCRBY', SPACE, 'last', 1)
redis.call('HSET', part('doc', id), 'version', version, 'at', digits(now))
add_version(id, version, stands, digits(now), text, meta)
return done(change, most, stands, version)
