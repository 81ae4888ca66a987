-- the name behind which to begin, or empty, most names
-- -> of each conversation: its name, 1 for a state or mail or 0, time of the last write, messages waiting, 1 for a turn
-- in flight or 0, version of the state
local found = {}

for _, name in ipairs(redis.call('ZRANGEBYLEX', NAMES, ARGV[6] == '' and '-' or '(' .. ARGV[6], '+', 'LIMIT', 0, ARGV[7])) do
  local f = redis.call('HMGET', key('conv', name), 'state', 'at', 'state_version')
  local waiting, taken = redis.call('ZCARD', key('mail', name)), redis.call('EXISTS', key('taken', name))
  local is_there = (f[1] or waiting + taken > 0) and 1 or 0
  table.insert(found, { name, is_there, f[2] or '0', waiting, taken, f[3] or '0' })
end
return found
