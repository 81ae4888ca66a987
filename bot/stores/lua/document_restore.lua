-- space, counter, then of each document: path, folded, number of versions, and of each of those: number, path, time, text,
-- meta -> 1 restored, 0 there are documents already
local space, last = ARGV[6], tonumber(ARGV[7])

if again and redis.call('HGET', SPACE, 'restored') == token then
  return 1
end
if redis.call('HLEN', PATHS) > 0 then
  return 0
end
redis.call('HSET', SPACE, 'key', space, 'restored', token)
if last > tonumber(redis.call('HGET', SPACE, 'last') or 0) then
  redis.call('HSET', SPACE, 'last', digits(last))
end
local n = 8
while n <= #ARGV do
  local path, folded, versions = ARGV[n], ARGV[n + 1], tonumber(ARGV[n + 2])
  n = n + 3
  local id = redis.call('HINCRBY', SPACE, 'ids', 1)
  redis.call('HSET', PATHS, folded, id)
  redis.call('HSET', part('doc', id), 'path', path, 'folded', folded)
  for _ = 1, versions do
    local version, at_path, at, text, meta = unpack(ARGV, n, n + 4)
    add_version(id, version, at_path, at, text, meta)
    redis.call('HSET', part('doc', id), 'version', version, 'at', at)
    n = n + 5
  end
end
return 1
