-- worker, lease in microseconds, version, together
-- -> conversation, fence, attempt, expiries, state, turn, messages; or nothing and the microseconds until the next is due
local worker, lease, version, together = unpack(ARGV, 6)
local AT_ONCE = 50

local function is_newer(conversation)
  local versions = redis.call('HMGET', key('conv', conversation), 'state_version', 'turn_version')
  return tonumber(versions[1] or 0) > tonumber(version) or tonumber(versions[2] or 0) > tonumber(version)
end

local function answer(conversation)
  local f = redis.call('HMGET', key('conv', conversation), 'fence', 'attempt', 'expiries', 'state', 'turn')
  local messages = redis.call('LRANGE', key('taken', conversation), 0, -1)
  return { conversation, f[1], f[2] or '0', f[3] or '0', f[4], f[5], messages }
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
  if redis.call('HGET', conv, 'held') == '1' then
    redis.call('HINCRBY', conv, 'expiries', 1)
  end
  redis.call('HINCRBY', conv, 'fence', 1)
  local head = id_of(redis.call('LINDEX', taken, 0))
  redis.call('HSET', conv, 'held', '1', 'worker', worker, 'head', head, 'claimed', token)
  due_at(conversation, now + tonumber(lease))
  return answer(conversation)
end

if again then
  for _, conversation in ipairs(redis.call('ZRANGE', DUE, 0, -1)) do
    local found = redis.call('HMGET', key('conv', conversation), 'held', 'claimed')
    if found[1] == '1' and found[2] == token then
      return answer(conversation)
    end
  end
end

local left_alone = 0
while true do
  local due = redis.call('ZRANGEBYSCORE', DUE, '-inf', digits(now), 'LIMIT', left_alone, AT_ONCE)
  if #due == 0 then
    break
  end
  for _, conversation in ipairs(due) do
    if is_newer(conversation) then
      left_alone = left_alone + 1
    else
      local claimed = claim(conversation)
      if claimed then
        return claimed
      end
      -- Somebody has deleted its messages by hand: nothing is owed here any more.
      rest(conversation)
    end
  end
end

if left_alone == 0 and hints then
  redis.call('DEL', WAKE) -- nothing is due, so no hint is true
end
local following = redis.call('ZRANGEBYSCORE', DUE, '(' .. digits(now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { false, following[2] and digits(tonumber(following[2]) - now) or false }
