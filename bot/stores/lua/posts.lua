-- conversation, what to do, then what that needs:
-- put: id, body, state -> its number
-- change: id, body, state -> 1, or 0 where there is none or it may not become that
-- remove: id -> 1, or 0 where there is none
-- one: id -> the message, in a list
-- page: the number below which they stand or empty, most -> messages, the newest first
-- changes: the change behind which to begin, most -> messages
-- growing: the number behind which to begin -> messages
-- all -> messages
-- A message is number, id, state, change, time and body.
local conversation, how = unpack(ARGV, 6)
local counts, posts = key('post-count', conversation), key('posts', conversation)
local by_number, by_change, unsealed =
  key('post-numbers', conversation), key('post-changes', conversation), key('post-growing', conversation)

local function load(id)
  local kept = redis.call('HGET', posts, id)
  if kept then
    local number, state, change, at, body = string.match(kept, '^(%d+) (%a+) (%d+) (%d+) (.*)$')
    return { number, id, state, change, at, body }
  end
end

local function save(number, id, state, at, body)
  local change = digits(redis.call('HINCRBY', counts, 'change', 1))
  redis.call('HSET', posts, id, table.concat({ number, state, change, at, body }, ' '))
  redis.call('ZADD', by_change, change, id)
  redis.call(state == 'growing' and 'ZADD' or 'ZREM', unsealed, unpack(state == 'growing' and { number, id } or { id }))
  if state == 'gone' then
    redis.call('ZREM', by_number, id)
  else
    redis.call('ZADD', by_number, number, id)
  end
end

local function loaded(ids)
  local found = {}
  for _, id in ipairs(ids) do
    table.insert(found, load(id))
  end
  return found
end

if how == 'put' then
  local id, body, state = unpack(ARGV, 8)
  local there = load(id)
  if there then
    return tonumber(there[1])
  end
  local number = redis.call('HINCRBY', counts, 'number', 1)
  save(digits(number), id, state, digits(now), body)
  redis.call('ZADD', NAMES, 0, conversation)
  redis.call('HSET', key('conv', conversation), 'at', digits(now))
  if not is_due(conversation) then
    redis.call('ZADD', IDLE, digits(now), conversation)
  end
  return number
elseif how == 'change' then
  local id, body, state = unpack(ARGV, 8)
  local there = load(id)
  if not there or there[3] == 'gone' or (state == 'growing' and there[3] ~= 'growing') then
    return 0
  end
  save(there[1], id, state, there[5], body)
  return 1
elseif how == 'remove' then
  local there = load(ARGV[8])
  if there and there[3] ~= 'gone' then
    save(there[1], there[2], 'gone', there[5], '')
  end
  return there and 1 or 0
elseif how == 'one' then
  return { load(ARGV[8]) }
elseif how == 'page' then
  local below = ARGV[8] == '' and '+inf' or '(' .. ARGV[8]
  return loaded(redis.call('ZREVRANGEBYSCORE', by_number, below, '-inf', 'LIMIT', 0, ARGV[9]))
elseif how == 'changes' then
  return loaded(redis.call('ZRANGEBYSCORE', by_change, '(' .. ARGV[8], '+inf', 'LIMIT', 0, ARGV[9]))
elseif how == 'growing' then
  return loaded(redis.call('ZRANGEBYSCORE', unsealed, '(' .. ARGV[8], '+inf'))
end
return loaded(redis.call('ZRANGE', by_change, 0, -1))
