-- conversation, id, order, body, cap -> 1 taken, 0 seen before, or minus the number that waits in a full mailbox
local conversation, id, order, body, cap = unpack(ARGV, 6)

local known, by_this_call, refused = seen(conversation, id)
if known then
  return by_this_call and (refused and -tonumber(cap) or 1) or 0
end
local waiting = redis.call('ZCARD', key('mail', conversation))
local conv = key('conv', conversation)
local last = redis.call('HGET', conv, 'last')
local latest = last and last > order and last or order
if waiting >= tonumber(cap) then
  remember(conversation, id, REFUSED)
  redis.call('HSET', conv, 'last', latest)
  return -waiting
end
remember(conversation, id)
put(conversation, order, body)
redis.call('HSET', conv, 'at', digits(now), 'last', latest)
redis.call('ZADD', NAMES, 0, conversation)
wake_up(conversation)
return 1
