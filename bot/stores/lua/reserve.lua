-- key, day, tokens, micros, milliseconds for which the key is kept, then for each limit: scope, tokens, micros (empty:
-- no bound) -> 1 or 0 for allowed, the place of the limit that is exceeded or 0, then for each limit: tokens, micros,
-- granted tokens, granted micros
local reservation = key('reservation', ARGV[6])
local budget = key('budget', ARGV[7])
local asked, kept = { ARGV[8], ARGV[9] }, ARGV[10]
local LIMITS = 11

local function fits(part, limit, spent, granted)
  return limit == '' or part == 0 or part <= tonumber(limit) + granted - spent
end

local function balances()
  local found = {}
  for n = LIMITS, #ARGV, 3 do
    local scope = ARGV[n]
    local f = redis.call('HMGET', budget, 't ' .. scope, 'm ' .. scope, 'T ' .. scope, 'M ' .. scope)
    for part = 1, 4 do
      table.insert(found, f[part] or '0')
    end
  end
  return found
end

local known = redis.call('EXISTS', reservation) == 1
local found, short = balances(), 0
if not known then
  for n = LIMITS, #ARGV, 3 do
    local place = (n - LIMITS) / 3
    for part = 1, 2 do
      local spent, granted = tonumber(found[4 * place + part]), tonumber(found[4 * place + part + 2])
      if short == 0 and not fits(tonumber(asked[part]), ARGV[n + part], spent, granted) then
        short = place + 1
      end
    end
  end
  if short == 0 then
    redis.call('HSET', reservation, 'day', ARGV[7], 'tokens', asked[1], 'micros', asked[2])
    for n = LIMITS, #ARGV, 3 do
      redis.call('HINCRBY', budget, 't ' .. ARGV[n], asked[1])
      redis.call('HINCRBY', budget, 'm ' .. ARGV[n], asked[2])
      redis.call('HSET', reservation, 'scope ' .. (n - LIMITS) / 3, ARGV[n])
    end
    redis.call('PEXPIRE', reservation, kept)
    redis.call('PEXPIRE', budget, ttl)
    found = balances()
  end
end
return { short == 0 and 1 or 0, short, unpack(found) }
