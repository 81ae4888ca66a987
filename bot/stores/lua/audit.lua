-- key, conversation, record as JSON -> 1 added, 0 added before
local effect, conversation, record = unpack(ARGV, 6)

if redis.call('SADD', key('audit-keys', conversation), effect) == 0 then
  return 0
end
redis.call('RPUSH', key('audit', conversation), record)
return 1
