-- conversation, id, order, body -> 1 taken, 0 no turn is in flight and the id is new
local conversation, id, order, body = unpack(ARGV, 6)
local conv = key('conv', conversation)

local known = seen(conversation, id)
local head = redis.call('HGET', conv, 'head')
if known or not head then
  return known and 1 or 0
end
remember(conversation, id)
if redis.call('HSETNX', conv, 'flag', order .. string.rep('0', BODY - ORDER - 1) .. body) == 1 then
  redis.call('HSET', conv, 'flag_head', head)
end
return 1
