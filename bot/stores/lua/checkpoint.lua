-- conversation, fence, turn, version -> 1 stored, 0 lost
local conversation, fence, turn, version = unpack(ARGV, 6)
local conv = key('conv', conversation)

if not is_held(conversation, fence) then
  return 0
end
redis.call('HSET', conv, 'turn', turn, 'turn_version', version)
redis.call('HDEL', conv, 'attempt', 'expiries')
return 1
