-- conversation, fence, delay in microseconds -> 1 given back, 0 lost or a turn is stored
local conversation, fence, delay = unpack(ARGV, 6)
local conv, taken = key('conv', conversation), key('taken', conversation)

if was_given_back(conversation) then
  return 1
end
if not is_held(conversation, fence) or redis.call('HEXISTS', conv, 'turn') == 1 then
  return 0
end
for _, message in ipairs(redis.call('LRANGE', taken, 0, -1)) do
  redis.call('ZADD', key('mail', conversation), 0, message)
end
flag_as_message(conversation)
redis.call('DEL', taken, key('blanked', conversation))
redis.call('HDEL', conv, 'head', 'flag', 'flag_head', 'attempt', 'lapsed')
give_back(conversation)
due_at(conversation, now + tonumber(delay))
if tonumber(delay) <= 0 then
  hint(conversation)
end
return 1
