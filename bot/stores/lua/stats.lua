-- -> messages that no turn has taken, turns in flight, dead letters, microseconds that the oldest due has waited
local waiting, in_flight, oldest = 0, 0, 0
for _, conversation in ipairs(redis.call('ZRANGE', DUE, 0, -1)) do
  waiting = waiting + redis.call('ZCARD', key('mail', conversation))
  in_flight = in_flight + redis.call('EXISTS', key('taken', conversation))
end
local first = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
if first[2] then
  oldest = math.max(0, now - tonumber(first[2]))
end
return { waiting, in_flight, redis.call('ZCARD', LETTERS), digits(oldest) }
