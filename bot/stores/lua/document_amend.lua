-- folded path, version, its meta as it was read, and as it is to be -> 1 changed, 0 it is something else by now
local folded, version, was, meta = unpack(ARGV, 6)
local id = document(folded)
local stands = id and redis.call('HGET', part('metas', id), version)
if again and stands == meta then
  return 1
end
if stands ~= was then
  return 0
end
redis.call('HSET', part('metas', id), version, meta)
local at, size, path = string.match(redis.call('HGET', part('facts', id), version), '^(%d+) (%d+) (.*)$')
local more = #meta - #was
redis.call('HSET', part('facts', id), version, at .. ' ' .. digits(tonumber(size) + more) .. ' ' .. path)
redis.call('HINCRBY', SPACE, 'used', more)
return 1
