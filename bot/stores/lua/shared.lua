-- Stands before each of the scripts. KEYS[1] is the root of a partition's keys, `gr:{0}:`; ARGV begins with what
-- every call carries: the time in microseconds (empty: the server's own), the conversations' time to live in
-- milliseconds, whether to leave hints, whether the call is sent again after a lost connection, and its token.

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local ttl, hints, again, token = ARGV[2], ARGV[3] == '1', ARGV[4] == '1', ARGV[5]

local SEEN = 25 * 3600 * 1000000 -- microseconds for which the id of a message is remembered
local WAKES = 64 -- hints are worth no memory

local DUE = KEYS[1] .. 'due'
local LETTERS = KEYS[1] .. 'letters'
local NAMES = KEYS[1] .. 'names' -- of all conversations, in order
local WAKE = KEYS[1] .. 'wake'

local function key(kind, conversation)
  return KEYS[1] .. kind .. ':' .. conversation
end

-- Lua writes large numbers with an exponent of its own accord, and drops digits.
local function digits(number)
  return string.format('%.0f', number)
end

local function hint()
  if hints then
    redis.call('RPUSH', WAKE, '1')
    redis.call('LTRIM', WAKE, -WAKES, -1)
  end
end

local function due_at(conversation, time)
  redis.call('ZADD', DUE, digits(time), conversation)
end

-- What has nothing to do is forgotten in time; what is owed to somebody never is.
local LASTING = { 'conv', 'log', 'spent', 'paid' }

local function keep(conversation)
  for _, kind in ipairs(LASTING) do
    redis.call('PERSIST', key(kind, conversation))
  end
end

local function rest(conversation)
  redis.call('ZREM', DUE, conversation)
  for _, kind in ipairs(LASTING) do
    redis.call('PEXPIRE', key(kind, conversation), ttl)
  end
end

-- A message is kept as one string: its order in 20 digits, the number of its arrival in 16, and its body, which is
-- 0 or 1 for plain, the length of its id in 6 digits, the id, and the payload. So a sorted set of equal scores
-- holds messages in their order, and in that of their arrival where the orders are the same.
local ORDER, BODY, ID = 20, 37, 44

local function order_of(message)
  return string.sub(message, 1, ORDER)
end

local function is_plain(message)
  return string.sub(message, BODY, BODY) == '1'
end

local function id_of(message)
  return string.sub(message, ID, ID + tonumber(string.sub(message, BODY + 1, ID - 1)) - 1)
end

local function put(conversation, order, body)
  local arrival = redis.call('HINCRBY', key('conv', conversation), 'arrivals', 1)
  redis.call('ZADD', key('mail', conversation), 0, order .. string.format('%016d', arrival) .. body)
end

local function seen_key(conversation, id)
  return key('seen', #conversation .. ':' .. conversation .. ':' .. id)
end

-- Whether the id is remembered, and whether it is so by an earlier attempt of this very call.
local function seen(conversation, id)
  local value = redis.call('GET', seen_key(conversation, id))
  if not value then
    return false, false
  end
  local limit, by = string.match(value, '^(%d+) (.*)$')
  return tonumber(limit) > now, by == token
end

local function remember(conversation, id)
  redis.call('SET', seen_key(conversation, id), digits(now + SEEN) .. ' ' .. token, 'PX', digits(SEEN / 1000))
end

-- The fence: whether this claim is the last one and has not been given back.
local function is_held(conversation, fence)
  local found = redis.call('HMGET', key('conv', conversation), 'fence', 'held')
  return found[1] == fence and found[2] == '1'
end

-- A claim that this very call has given back in an earlier attempt.
local function was_given_back(conversation)
  return again and redis.call('HGET', key('conv', conversation), 'given') == token
end

local function give_back(conversation)
  redis.call('HSET', key('conv', conversation), 'held', '0', 'given', token)
end

-- Messages that were deleted while this turn was in flight, where their number is not what the caller has heeded.
local function blanked_since(conversation, heeded)
  local blanked = key('blanked', conversation)
  return redis.call('SCARD', blanked) ~= tonumber(heeded) and redis.call('SMEMBERS', blanked)
end

local function end_turn(conversation)
  local conv = key('conv', conversation)
  redis.call('DEL', key('taken', conversation), key('blanked', conversation))
  redis.call('HDEL', conv, 'head', 'flag', 'flag_head', 'turn', 'turn_version', 'attempt', 'expiries')
  redis.call('HSET', conv, 'held', '0')
  if redis.call('ZCARD', key('mail', conversation)) > 0 then
    due_at(conversation, now)
    hint()
  else
    rest(conversation)
  end
end

