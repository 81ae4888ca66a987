-- conversation, fence, messages as JSON, reason, cap -> 1 buried, 0 lost
local conversation, fence, messages, reason, cap = unpack(ARGV, 6)

if was_given_back(conversation) then
  return 1
end
if not is_held(conversation, fence) then
  return 0
end
give_back(conversation)
redis.call('XADD', DEAD, 'MAXLEN', cap, redis.call('INCR', DEAD .. ':last') .. '-0',
  'conversation', conversation, 'messages', messages, 'reason', reason, 'at', digits(now))
end_turn(conversation)
return 1
