-- microseconds of idleness, how many to pass over, most
-- Notes what has been idle for so long by this server's clock, at most so many conversations, and dead letters of each
-- platform, behind those passed over: as `c` or `l`, the time it is idle since, and its name, by the time of this look.
-- -> how many are new, 1 where there may be more or 0
local before = '(' .. digits(now - tonumber(ARGV[6]))
local passed, most = ARGV[7], tonumber(ARGV[8])
local new, is_full = 0, false

local function note(kind, set)
  local found = redis.call('ZRANGEBYSCORE', set, '-inf', before, 'WITHSCORES', 'LIMIT', passed, most)
  is_full = is_full or #found == 2 * most
  for n = 1, #found, 2 do
    local member = kind .. ' ' .. digits(tonumber(found[n + 1])) .. ' ' .. found[n]
    new = new + redis.call('ZADD', LEAVING, 'NX', digits(now), member)
  end
end

note('c', IDLE)
for _, platform in ipairs(redis.call('SMEMBERS', PLATFORMS)) do
  note('l', key('dead', platform))
end
return { new, is_full and 1 or 0 }
