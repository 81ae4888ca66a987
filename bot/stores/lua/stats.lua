-- platforms (none: all)...
-- -> messages that no turn has taken, turns in flight, dead letters, microseconds that the oldest due has waited
local waiting, in_flight, dead, oldest = 0, 0, 0, 0
for _, platform in ipairs(platforms_from(6)) do
  local due = key('due', platform)
  for _, conversation in ipairs(redis.call('ZRANGE', due, 0, -1)) do
    waiting = waiting + redis.call('ZCARD', key('mail', conversation))
    in_flight = in_flight + redis.call('EXISTS', key('taken', conversation))
  end
  dead = dead + redis.call('ZCARD', key('dead', platform))
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if first[2] then
    oldest = math.max(oldest, now - tonumber(first[2]))
  end
end
return { waiting, in_flight, dead, digits(oldest) }
