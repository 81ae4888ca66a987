-- conversation, id, 1 for a new payload or 0 to take it out, payload, 1 plain or 0 or empty as it was
-- -> 1 done, 0 no such message
local conversation, id, replaces, payload, plain = unpack(ARGV, 6)
local mail = key('mail', conversation)

if was_given_back(conversation) then
  return 1
end
local found = 0
for _, message in ipairs(redis.call('ZRANGE', mail, 0, -1)) do
  if id_of(message) == id then
    found = 1
    redis.call('ZREM', mail, message)
    if replaces == '1' then
      local kept = plain == '' and string.sub(message, BODY, BODY) or plain
      redis.call('ZADD', mail, 0, string.sub(message, 1, BODY - 1) .. kept
        .. string.sub(message, BODY + 1, ID + #id - 1) .. payload)
    end
  end
end
if found == 1 and replaces == '0' then
  redis.call('HSET', key('conv', conversation), 'given', token)
  if redis.call('EXISTS', mail, key('taken', conversation)) == 0 then
    rest(conversation)
  end
end
return found
