-- Stands before each of the scripts. KEYS[1] is the root of a partition's keys, `gr:{0}:`. Neither it nor KEYS[2] is
-- ever written: while a Cluster moves the slot, two keys that are missing keep the script from running on either side.
-- ARGV begins with what every call carries: the time in microseconds (empty: the server's own), the budgets' time to
-- live in milliseconds, whether to leave hints, whether the call is sent again after a lost connection, and its token.

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local ttl, hints, again, token = ARGV[2], ARGV[3] == '1', ARGV[4] == '1', ARGV[5]

local SEEN = 25 * 3600 * 1000000 -- microseconds for which the id of a message is remembered
local WAKES = 64 -- hints are worth no memory

-- A conversation with mail is in `due:<platform>`, by the time at which it is due; any other is in IDLE, by the time at
-- which it was last written to. Dead letters are in LETTERS by number, and in `dead:<platform>` by their time.
local PLATFORMS = KEYS[1] .. 'platforms' -- all that were ever seen
local IDLE = KEYS[1] .. 'idle'
local LETTERS = KEYS[1] .. 'letters'
local LEAVING = KEYS[1] .. 'leaving' -- what a look has found idle for long, by the time of that look
local NAMES = KEYS[1] .. 'names' -- of all conversations, in order

local function key(kind, conversation)
  return KEYS[1] .. kind .. ':' .. conversation
end

local function platform_of(conversation)
  return string.match(conversation, '^([^:]*):') or ''
end

-- The platforms that stand in ARGV from there on; all, where there are none.
local function platforms_from(first)
  local asked = { unpack(ARGV, first) }
  return #asked > 0 and asked or redis.call('SMEMBERS', PLATFORMS)
end

-- Lua writes large numbers with an exponent of its own accord, and drops digits.
local function digits(number)
  return string.format('%.0f', number)
end

local function hint(conversation)
  if hints then
    local wake = key('wake', platform_of(conversation))
    redis.call('RPUSH', wake, '1')
    redis.call('LTRIM', wake, -WAKES, -1)
  end
end

local function is_due(conversation)
  return redis.call('ZSCORE', key('due', platform_of(conversation)), conversation) and true or false
end

local function due_at(conversation, time)
  local platform = platform_of(conversation)
  if redis.call('ZADD', key('due', platform), digits(time), conversation) == 1 then
    redis.call('SADD', PLATFORMS, platform)
    redis.call('ZREM', IDLE, conversation)
  end
end

-- Mail has come to a conversation that may have had nothing to do.
local function wake_up(conversation)
  if not is_due(conversation) then
    due_at(conversation, now)
    hint(conversation)
  end
end

local function rest(conversation)
  redis.call('ZREM', key('due', platform_of(conversation)), conversation)
  redis.call('ZADD', IDLE, redis.call('HGET', key('conv', conversation), 'at') or digits(now), conversation)
end

-- Walks over what is due on those platforms, the longest waiting first, `page` of each at a time. Whoever takes one off
-- the set, or moves it beyond now, says so by `forget`; what is left stays behind the walk.
local function by_due(platforms, page)
  local walks = {}
  for _, platform in ipairs(platforms) do
    table.insert(walks, { due = key('due', platform), passed = 0, at = 1, rows = {} })
  end
  local function first_of(walk)
    if walk.at > #walk.rows then
      walk.at = 1
      walk.rows = redis.call('ZRANGEBYSCORE', walk.due, '-inf', digits(now), 'WITHSCORES', 'LIMIT', walk.passed, page)
    end
    return walk.rows[walk.at], tonumber(walk.rows[walk.at + 1])
  end
  local last
  local function following()
    last = nil
    local name, time
    for _, walk in ipairs(walks) do
      local its_name, its_time = first_of(walk)
      if its_name and (not name or its_time < time or its_time == time and its_name < name) then
        last, name, time = walk, its_name, its_time
      end
    end
    if last then
      last.at, last.passed = last.at + 2, last.passed + 1
    end
    return name, time
  end
  local function forget()
    last.passed = last.passed - 1
  end
  return following, forget
end

local function is_newer(conversation, version)
  local versions = redis.call('HMGET', key('conv', conversation), 'state_version', 'turn_version')
  return tonumber(versions[1] or 0) > tonumber(version) or tonumber(versions[2] or 0) > tonumber(version)
end

local function drop_letter(id)
  local letter = key('letter', id)
  redis.call('ZREM', key('dead', platform_of(redis.call('HGET', letter, 'conversation') or '')), id)
  redis.call('ZREM', LETTERS, id)
  redis.call('DEL', letter)
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

local REFUSED = ' refused' -- behind the token of a call whose message found a full mailbox

-- Whether the id is remembered, whether it is so by an earlier attempt of this very call, and whether that was refused.
local function seen(conversation, id)
  local value = redis.call('GET', seen_key(conversation, id))
  if not value then
    return false, false, false
  end
  local limit, by = string.match(value, '^(%d+) (.*)$')
  return tonumber(limit) > now, by == token or by == token .. REFUSED, by == token .. REFUSED
end

local function remember(conversation, id, how)
  local by = token .. (how or '')
  redis.call('SET', seen_key(conversation, id), digits(now + SEEN) .. ' ' .. by, 'PX', digits(SEEN / 1000))
end

-- The leases of a turn that ended, as bits: the lowest is that of the last claim but one. So each of them can be taken
-- back by whoever held it, once, however many claims came since; the last 31 are kept.
local LAPSES = 2 ^ 31

local function lapses(lapsed)
  local count, left = 0, tonumber(lapsed or 0)
  while left > 0 do
    count, left = count + left % 2, math.floor(left / 2)
  end
  return digits(count)
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

-- The state as it is from now on, and the lines of the log that stand in ARGV from `first` on.
local function save(conversation, state, version, floor_open, first)
  redis.call('HSET', key('conv', conversation), 'state', state, 'state_version', version, 'floor_open', floor_open)
  for n = first, #ARGV do
    redis.call('RPUSH', key('log', conversation), ARGV[n])
  end
end

local function flag_as_message(conversation)
  local flag = redis.call('HGET', key('conv', conversation), 'flag')
  if flag then
    put(conversation, order_of(flag), string.sub(flag, BODY))
  end
end

local function end_turn(conversation)
  local conv = key('conv', conversation)
  redis.call('DEL', key('taken', conversation), key('blanked', conversation))
  redis.call('HDEL', conv, 'head', 'flag', 'flag_head', 'turn', 'turn_version', 'attempt', 'lapsed')
  redis.call('HSET', conv, 'held', '0')
  if redis.call('ZCARD', key('mail', conversation)) > 0 then
    due_at(conversation, now)
    hint(conversation)
  else
    rest(conversation)
  end
end

