-- microseconds of idleness -> how many documents are gone, how many were noted
local before = now - tonumber(ARGV[6])
local BETWEEN_LOOKS = 24 * 3600 * 1000000
local gone, new = 0, 0

for _, id in ipairs(redis.call('HVALS', PATHS)) do
  local doc = part('doc', id)
  local f = redis.call('HMGET', doc, 'at', 'noted', 'noted_at')
  local noted = tonumber(f[2] or nil)
  if tonumber(f[1]) >= before then
    redis.call('HDEL', doc, 'noted', 'noted_at')
  elseif not noted or f[3] ~= f[1] then
    redis.call('HSET', doc, 'noted', digits(now), 'noted_at', f[1])
    new = new + 1
  elseif noted <= now - BETWEEN_LOOKS then
    drop(id)
    gone = gone + 1
  elseif noted > now then
    redis.call('HSET', doc, 'noted', digits(now)) -- the server's clock was set back
  end
end
return { gone, new }
