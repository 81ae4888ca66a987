-- conversation, fence, deleted messages heeded, turn, version
-- -> 1 stored, 0 lost, or the ids of all messages that were deleted meanwhile
local conversation, fence, heeded, turn, version = unpack(ARGV, 6)
local conv = key('conv', conversation)

if not is_held(conversation, fence) then
  return 0
end
local blanked = blanked_since(conversation, heeded)
if blanked then
  return blanked
end
redis.call('HSET', conv, 'turn', turn, 'turn_version', version)
redis.call('HDEL', conv, 'attempt', 'lapsed')
return 1
