-- conversation, what to do, a time
-- count: nothing. forget: delete all but the audit trail, the fence and the highest order. reset: delete state, turn and
-- mail. expire: delete all but audit trail and dead letters, if nothing is due and it was last written to before then.
-- -> 1 wiped or 0, and how many there were: states, turns, log lines, messages, dead letters
local conversation, how, before = unpack(ARGV, 6)
local conv, expires, resets = key('conv', conversation), how == 'expire', how == 'reset'
local f = redis.call('HMGET', conv, 'state', 'turn', 'at', 'fence', 'last', 'wiped')

if again and f[6] then
  local answer = cjson.decode(f[6])
  if answer.token == token then
    return answer.counts
  end
end
if expires and (redis.call('ZSCORE', DUE, conversation) or not f[3] or tonumber(f[3]) >= tonumber(before)) then
  return { 0, 0, 0, 0, 0, 0 }
end

local letters = {}
for _, letter in ipairs((expires or resets) and {} or redis.call('ZRANGE', LETTERS, 0, -1)) do
  if redis.call('HGET', key('letter', letter), 'conversation') == conversation then
    table.insert(letters, letter)
  end
end
local mail, taken, log = key('mail', conversation), key('taken', conversation), key('log', conversation)
local counts = { 1, f[1] and 1 or 0, f[2] and 1 or 0, redis.call('LLEN', log),
  redis.call('ZCARD', mail) + redis.call('LLEN', taken), #letters }
if how == 'count' then
  return counts
end

for _, letter in ipairs(letters) do
  redis.call('ZREM', LETTERS, letter)
  redis.call('DEL', key('letter', letter))
end
redis.call('DEL', mail, taken, conv, key('blanked', conversation))
if not resets then
  redis.call('DEL', log, key('spent', conversation), key('paid', conversation))
end
redis.call('ZREM', DUE, conversation)
if expires then
  if redis.call('EXISTS', key('audit', conversation)) == 0 then
    redis.call('ZREM', NAMES, conversation)
  end
else
  redis.call('HSET', conv, 'fence', digits(tonumber(f[4] or 0) + 1), 'at', digits(now),
    'wiped', cjson.encode({ token = token, counts = counts }))
  if f[5] then
    redis.call('HSET', conv, 'last', f[5])
  end
  rest(conversation)
end
return counts
