-- version -> 1 when a claim would find something, else 0
local version = tonumber(ARGV[6])

for _, conversation in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', digits(now))) do
  local versions = redis.call('HMGET', key('conv', conversation), 'state_version', 'turn_version')
  if tonumber(versions[1] or 0) <= version and tonumber(versions[2] or 0) <= version then
    return 1
  end
end
return 0
