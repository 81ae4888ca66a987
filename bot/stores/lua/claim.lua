-- worker, lease in microseconds, version, together, platforms (none: all)...
-- -> conversation, fence, attempt, expiries, state, turn, messages; or nothing and the microseconds until the next is due
local worker, lease, version, together = unpack(ARGV, 6, 9)
local platforms = platforms_from(10)
local AT_ONCE = 10
local REACH = 60 * 1000000 -- microseconds that no delay comes to; `bot/runtime/worker.py` asks for some ten seconds

local function answer(conversation)
  local f = redis.call('HMGET', key('conv', conversation), 'fence', 'attempt', 'lapsed', 'state', 'turn')
  local messages = redis.call('LRANGE', key('taken', conversation), 0, -1)
  return { conversation, f[1], f[2] or '0', lapses(f[3]), f[4], f[5], messages }
end

local function take(conversation)
  local mail = key('mail', conversation)
  local floor_open = redis.call('HGET', key('conv', conversation), 'floor_open') ~= '0'
  local count = 0
  for place, message in ipairs(redis.call('ZRANGE', mail, 0, together - 1)) do
    if place > 1 and not (floor_open and is_plain(message)) then
      break
    end
    redis.call('RPUSH', key('taken', conversation), message)
    redis.call('ZREM', mail, message)
    count = place
    if not (floor_open and is_plain(message)) then
      break
    end
  end
  return count > 0
end

local function claim(conversation)
  local conv, taken = key('conv', conversation), key('taken', conversation)
  if redis.call('EXISTS', taken) == 0 and not take(conversation) then
    return nil
  end
  local found = redis.call('HMGET', conv, 'held', 'lapsed')
  local lapsed = tonumber(found[2] or 0) * 2 % LAPSES + (found[1] == '1' and 1 or 0)
  redis.call('HSET', conv, 'lapsed', digits(lapsed))
  redis.call('HINCRBY', conv, 'fence', 1)
  local head = id_of(redis.call('LINDEX', taken, 0))
  redis.call('HSET', conv, 'held', '1', 'worker', worker, 'head', head, 'claimed', token)
  due_at(conversation, now + tonumber(lease))
  return answer(conversation)
end

if again then
  for _, platform in ipairs(platforms) do
    for _, conversation in ipairs(redis.call('ZRANGE', key('due', platform), 0, -1)) do
      local found = redis.call('HMGET', key('conv', conversation), 'held', 'claimed')
      if found[1] == '1' and found[2] == token then
        return answer(conversation)
      end
    end
  end
end

-- Whoever holds a lease renews it long before its end, and no delay is longer: what lies further ahead was put there
-- while the server's clock, or that of the primary before it, was wrong. What is held gets a lease to be renewed in.
local reach = digits(now + 2 * tonumber(lease) + REACH)
for _, platform in ipairs(platforms) do
  for _, conversation in ipairs(redis.call('ZRANGEBYSCORE', key('due', platform), '(' .. reach, '+inf', 'LIMIT', 0, AT_ONCE)) do
    local is_held = redis.call('HGET', key('conv', conversation), 'held') == '1'
    due_at(conversation, is_held and now + tonumber(lease) or now)
  end
end

local following, forget = by_due(platforms, AT_ONCE)
local left_alone = {}
for conversation in following do
  if is_newer(conversation, version) then
    left_alone[platform_of(conversation)] = true
  else
    local claimed = claim(conversation)
    if claimed then
      return claimed
    end
    -- Somebody has deleted its messages by hand: nothing is owed here any more.
    rest(conversation)
    forget()
  end
end

local nearest
for _, platform in ipairs(platforms) do
  if hints and not left_alone[platform] then
    redis.call('DEL', key('wake', platform)) -- nothing is due, so no hint is true
  end
  local next_of = redis.call('ZRANGEBYSCORE', key('due', platform), '(' .. digits(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if next_of[2] and (not nearest or tonumber(next_of[2]) < nearest) then
    nearest = tonumber(next_of[2])
  end
end
return { false, nearest and digits(nearest - now) or false }
