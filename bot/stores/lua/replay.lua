-- conversation, number of the letter, its messages as they were read, cap, then of each message its new id, order, body
-- -> 1 moved, 0 no such letter as it was read, or its new id was seen before, or -1 and minus the number that waits
local conversation, id, messages, cap = unpack(ARGV, 6)
local MESSAGES = 10
local letter, mail = key('letter', id), key('mail', conversation)

local known, by_this_call = seen(conversation, ARGV[MESSAGES])
if known then
  return by_this_call and 1 or 0
end
if redis.call('HGET', letter, 'messages') ~= messages then
  return 0
end
local waiting = redis.call('ZCARD', mail)
if waiting + (#ARGV - MESSAGES + 1) / 3 > tonumber(cap) then
  return -1 - waiting
end
for n = MESSAGES, #ARGV, 3 do
  local last = redis.call('ZRANGE', mail, -1, -1)[1]
  local order = ARGV[n + 1]
  remember(conversation, ARGV[n])
  put(conversation, last and order_of(last) > order and order_of(last) or order, ARGV[n + 2])
end
drop_letter(id)
redis.call('HSET', key('conv', conversation), 'at', digits(now))
redis.call('ZADD', NAMES, 0, conversation)
wake_up(conversation)
return 1
