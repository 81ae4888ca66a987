-- conversation, fence, deleted messages heeded, state, version, floor open, flag used, order and body of a follow-up
-- or empty, log lines...
-- -> 1 done, now or earlier, 0 lost, or the ids of all messages that were deleted meanwhile
local conversation, fence, heeded, state, version, floor_open, used_flag, order, body = unpack(ARGV, 6, 14)
local LINES = 15
local conv, mail = key('conv', conversation), key('mail', conversation)

if not is_held(conversation, fence) then
  return redis.call('HGET', conv, 'done') == fence and 1 or 0
end
local blanked = blanked_since(conversation, heeded)
if blanked then
  return blanked
end
redis.call('HSET', conv, 'done', fence, 'at', digits(now))
save(conversation, state, version, floor_open, LINES)
if used_flag == '0' then
  flag_as_message(conversation)
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
