-- key, conversation, record as a JSON list -> 1 added, 0 added before
local effect, conversation, record = unpack(ARGV, 6)

if redis.call('SADD', key('audit-keys', conversation), effect) == 0 then
  return 0
end
local place = digits(now) .. ',' .. cjson.encode(effect)
redis.call('RPUSH', key('audit', conversation), string.sub(record, 1, -2) .. ',' .. place .. ']')
redis.call('ZADD', NAMES, 0, conversation)
return 1
