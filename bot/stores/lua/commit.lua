-- conversation, fence, state, version, floor open, flag used, order and body of a follow-up or empty, log lines...
-- -> 1 done, now or earlier, 0 lost
local conversation, fence, state, version, floor_open, used_flag, order, body = unpack(ARGV, 6, 13)
local LINES = 14
local conv, mail = key('conv', conversation), key('mail', conversation)

if not is_held(conversation, fence) then
  return redis.call('HGET', conv, 'done') == fence and 1 or 0
end
redis.call('HSET', conv, 'state', state, 'state_version', version, 'floor_open', floor_open, 'done', fence)
for n = LINES, #ARGV do
  redis.call('RPUSH', key('log', conversation), ARGV[n])
end
local flag = redis.call('HGET', conv, 'flag')
if flag and used_flag == '0' then
  put(conversation, order_of(flag), string.sub(flag, BODY))
end
if body ~= '' then
  local last = redis.call('ZRANGE', mail, -1, -1)[1]
  if last and order_of(last) > order then
    order = order_of(last)
  end
  put(conversation, order, body)
end
end_turn(conversation)
return 1
