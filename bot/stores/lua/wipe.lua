-- conversation, what to do
-- count: nothing. forget: delete all but the audit trail, the fence and the highest order. reset: delete state, turn and
-- mail.
-- -> how many there were: states, turns, log lines, messages, dead letters, posts
local conversation, how = unpack(ARGV, 6)
local conv, resets = key('conv', conversation), how == 'reset'
local f = redis.call('HMGET', conv, 'state', 'turn', 'fence', 'last', 'wiped')

if again and f[5] then
  local answer = cjson.decode(f[5])
  if answer.token == token then
    return answer.counts
  end
end

local letters = {}
for _, letter in ipairs(resets and {} or redis.call('ZRANGE', LETTERS, 0, -1)) do
  if redis.call('HGET', key('letter', letter), 'conversation') == conversation then
    table.insert(letters, letter)
  end
end
local mail, taken, log = key('mail', conversation), key('taken', conversation), key('log', conversation)
local counts = { f[1] and 1 or 0, f[2] and 1 or 0, redis.call('LLEN', log),
  redis.call('ZCARD', mail) + redis.call('LLEN', taken), #letters,
  redis.call('HLEN', key('posts', conversation)) }
if how == 'count' then
  return counts
end

for _, letter in ipairs(letters) do
  drop_letter(letter)
end
redis.call('DEL', mail, taken, conv, key('blanked', conversation))
if not resets then
  redis.call('DEL', log, key('spent', conversation), key('paid', conversation))
  -- The counts of posts stay, so that no place is given twice.
  redis.call('DEL', key('posts', conversation), key('post-numbers', conversation), key('post-changes', conversation),
    key('post-growing', conversation))
end
redis.call('HSET', conv, 'fence', digits(tonumber(f[3] or 0) + 1), 'at', digits(now),
  'wiped', cjson.encode({ token = token, counts = counts }))
if f[4] then
  redis.call('HSET', conv, 'last', f[4])
end
rest(conversation)
return counts
