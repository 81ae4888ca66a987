-- conversation, then lists, each behind its length: fields and values of the conversation, order and body of the
-- messages (the first `taken` of them taken), `taken` itself, log lines, usage as pairs, keys of that usage, key and
-- line of the audit trail, ids seen; id, number and the rest of each post -> 1 restored, 0 something is kept there already
local conversation, at = ARGV[6], 7
local conv = key('conv', conversation)

local function list()
  local length, found = tonumber(ARGV[at]), {}
  for n = at + 1, at + length do
    table.insert(found, ARGV[n])
  end
  at = at + length + 1
  return found
end

if again and redis.call('HGET', conv, 'given') == token then
  return 1
end
if redis.call('HEXISTS', conv, 'state') == 1 or redis.call('EXISTS', key('mail', conversation),
  key('taken', conversation), key('log', conversation), key('spent', conversation), key('posts', conversation)) > 0 then
  return 0
end

local fields, messages, taken = list(), list(), tonumber(list()[1])
local log, usage, paid, audit, ids = list(), list(), list(), list(), list()
local last = redis.call('HGET', conv, 'last')
for n = 1, #fields, 2 do
  redis.call('HSET', conv, fields[n], fields[n + 1])
end
local restored = redis.call('HGET', conv, 'last')
if last and (not restored or last > restored) then
  redis.call('HSET', conv, 'last', last)
end
redis.call('HSET', conv, 'given', token, 'held', '0')
for n = 1, #messages, 2 do
  if n / 2 < taken then
    local arrival = redis.call('HINCRBY', conv, 'arrivals', 1)
    redis.call('RPUSH', key('taken', conversation), messages[n] .. string.format('%016d', arrival) .. messages[n + 1])
  else
    put(conversation, messages[n], messages[n + 1])
  end
end
for _, line in ipairs(log) do
  redis.call('RPUSH', key('log', conversation), line)
end
for n = 1, #usage, 2 do
  redis.call('HSET', key('spent', conversation), usage[n], usage[n + 1])
end
for _, effect in ipairs(paid) do
  redis.call('SADD', key('paid', conversation), effect)
end
for n = 1, #audit, 2 do
  if redis.call('SADD', key('audit-keys', conversation), audit[n]) == 1 then
    redis.call('RPUSH', key('audit', conversation), audit[n + 1])
  end
end
for _, id in ipairs(ids) do
  remember(conversation, id)
end
local posts, counts = list(), key('post-count', conversation)
for n = 1, #posts, 3 do
  local id, number, rest_of = posts[n], posts[n + 1], posts[n + 2]
  local state, at_and_body = string.match(rest_of, '^(%a+) (.*)$')
  local change = digits(redis.call('HINCRBY', counts, 'change', 1))
  redis.call('HSET', key('posts', conversation), id, table.concat({ number, state, change, at_and_body }, ' '))
  redis.call('ZADD', key('post-changes', conversation), change, id)
  if state ~= 'gone' then
    redis.call('ZADD', key('post-numbers', conversation), number, id)
  end
  if state == 'growing' then
    redis.call('ZADD', key('post-growing', conversation), number, id)
  end
  if tonumber(number) > tonumber(redis.call('HGET', counts, 'number') or 0) then
    redis.call('HSET', counts, 'number', number)
  end
end
redis.call('ZADD', NAMES, 0, conversation)
if #messages > 0 then
  due_at(conversation, now)
  hint(conversation)
else
  rest(conversation)
end
return 1
