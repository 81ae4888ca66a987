-- conversation, fence, delay in microseconds -> 1 given back, 0 lost
local conversation, fence, delay = unpack(ARGV, 6)

if was_given_back(conversation) then
  return 1
end
if not is_held(conversation, fence) then
  -- The end of a lost claim's lease no longer counts, for its holder is there.
  local conv = key('conv', conversation)
  local found = redis.call('HMGET', conv, 'fence', 'lapsed')
  local bit_of_it = 2 ^ (tonumber(found[1] or 0) - 1 - tonumber(fence))
  local lapsed = tonumber(found[2] or 0)
  if math.floor(lapsed / bit_of_it) % 2 == 1 then
    redis.call('HSET', conv, 'lapsed', digits(lapsed - bit_of_it))
  end
  return 0
end
give_back(conversation)
due_at(conversation, now + tonumber(delay))
if tonumber(delay) <= 0 then
  hint(conversation)
end
return 1
