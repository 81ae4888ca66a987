-- conversation, fence, delay in microseconds -> 1 given back, 0 lost
local conversation, fence, delay = unpack(ARGV, 6)

if was_given_back(conversation) then
  return 1
end
if not is_held(conversation, fence) then
  -- The end of a lost claim's lease no longer counts, for its holder is there. Where claims that did not end so came
  -- since, it goes on counting: that keeps what a checkpoint has forgotten from being taken back.
  local found = redis.call('HMGET', key('conv', conversation), 'fence', 'expiries')
  local since = tonumber(found[1] or 0) - tonumber(fence)
  if since > 0 and since <= tonumber(found[2] or 0) and not again then
    redis.call('HINCRBY', key('conv', conversation), 'expiries', -1)
  end
  return 0
end
give_back(conversation)
due_at(conversation, now + tonumber(delay))
if tonumber(delay) <= 0 then
  hint(conversation)
end
return 1
