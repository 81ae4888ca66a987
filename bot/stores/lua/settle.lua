-- key, tokens, micros -> 1 settled, now or earlier, 0 nothing was reserved under that key
local reservation = key('reservation', ARGV[6])

local was = redis.call('HMGET', reservation, 'day', 'tokens', 'micros', 'settled')
if not was[1] then
  return 0
end
if not was[4] then
  local budget, place = key('budget', was[1]), 0
  local scope = redis.call('HGET', reservation, 'scope 0')
  while scope do
    redis.call('HINCRBY', budget, 't ' .. scope, digits(tonumber(ARGV[7]) - tonumber(was[2])))
    redis.call('HINCRBY', budget, 'm ' .. scope, digits(tonumber(ARGV[8]) - tonumber(was[3])))
    place = place + 1
    scope = redis.call('HGET', reservation, 'scope ' .. place)
  end
  redis.call('HSET', reservation, 'settled', '1')
  redis.call('PEXPIRE', budget, ttl)
end
return 1
