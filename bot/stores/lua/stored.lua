-- conversation, 1 to blank from now on what its turn in flight writes of the message behind it or 0, that id
-- -> state, turn, flag, head, messages taken, messages waiting, log, audit, time of the last write, last order,
-- version of the state, version of the turn, floor open, usage as pairs, keys of that usage
local conversation, blanks, id = unpack(ARGV, 6)
local f = redis.call('HMGET', key('conv', conversation), 'state', 'turn', 'flag', 'head', 'at', 'last',
  'state_version', 'turn_version', 'floor_open')

if blanks == '1' and f[4] then
  redis.call('SADD', key('blanked', conversation), id)
end
return { f[1], f[2], f[3], f[4],
  redis.call('LRANGE', key('taken', conversation), 0, -1),
  redis.call('ZRANGE', key('mail', conversation), 0, -1),
  redis.call('LRANGE', key('log', conversation), 0, -1),
  redis.call('LRANGE', key('audit', conversation), 0, -1),
  f[5], f[6], f[7], f[8], f[9],
  redis.call('HGETALL', key('spent', conversation)),
  redis.call('SMEMBERS', key('paid', conversation)) }
