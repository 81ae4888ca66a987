-- key, microseconds from one event to the next, microseconds that a burst may be ahead
-- -> 0 allowed and counted, else the microseconds to wait
local rate, apart, ahead = key('rate', ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

local tat, by = string.match(redis.call('GET', rate) or '', '^(%d+) (.*)$')
if again and by == token then
  return '0'
end
tat = tonumber(tat or 0)
-- No event that was allowed leaves more than `ahead` behind it: what is further off is of a clock that was wrong.
local following = (tat > now and tat <= now + ahead and tat or now) + apart
local early = following - ahead - now
if early > 0 then
  return digits(early)
end
redis.call('SET', rate, digits(following) .. ' ' .. token, 'PX', digits(math.ceil((following - now) / 1000)))
return '0'
