-- conversation, fence, deleted messages heeded, messages as JSON, reason, cap; and where something is left: state,
-- version, floor open, log lines...
-- -> 1 buried, 0 lost, or the ids of all messages that were deleted meanwhile
local conversation, fence, heeded, messages, reason, cap = unpack(ARGV, 6, 11)
local state, version, floor_open = unpack(ARGV, 12, 14)
local LINES = 15

if was_given_back(conversation) then
  return 1
end
if not is_held(conversation, fence) then
  return 0
end
local blanked = blanked_since(conversation, heeded)
if blanked then
  return blanked
end
give_back(conversation)
redis.call('HSET', key('conv', conversation), 'at', digits(now))
if state then
  save(conversation, state, version, floor_open, LINES)
end
local id = redis.call('INCR', LETTERS .. ':last')
redis.call('ZADD', LETTERS, id, id)
redis.call('ZADD', key('dead', platform_of(conversation)), digits(now), id)
redis.call('HSET', key('letter', id), 'conversation', conversation, 'messages', messages, 'reason', reason,
  'at', digits(now))
while redis.call('ZCARD', LETTERS) > tonumber(cap) do
  drop_letter(redis.call('ZRANGE', LETTERS, 0, 0)[1])
end
end_turn(conversation)
return 1
