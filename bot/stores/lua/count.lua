-- key, day, tokens, micros, milliseconds for which the key is kept, then scopes -> 1 counted, 0 counted before
local counted, budget = key('counted', ARGV[6]), key('budget', ARGV[7])
local SCOPES = 11

local by = redis.call('GET', counted)
if by then
  return again and by == token and 1 or 0
end
redis.call('SET', counted, token, 'PX', ARGV[10])
for n = SCOPES, #ARGV do
  redis.call('HINCRBY', budget, 't ' .. ARGV[n], ARGV[8])
  redis.call('HINCRBY', budget, 'm ' .. ARGV[n], ARGV[9])
end
redis.call('PEXPIRE', budget, ttl)
return 1
