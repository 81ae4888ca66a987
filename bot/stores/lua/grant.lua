-- key, scope, day, tokens, micros, milliseconds for which the key is kept -> 1 granted, 0 granted before
local granted, scope, budget = key('granted', ARGV[6]), ARGV[7], key('budget', ARGV[8])

local by = redis.call('GET', granted)
if by then
  return again and by == token and 1 or 0
end
redis.call('SET', granted, token, 'PX', ARGV[11])
redis.call('HINCRBY', budget, 'T ' .. scope, ARGV[9])
redis.call('HINCRBY', budget, 'M ' .. scope, ARGV[10])
redis.call('PEXPIRE', budget, ttl)
return 1
