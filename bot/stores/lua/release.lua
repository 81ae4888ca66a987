-- conversation, fence, delay in microseconds -> 1 given back, 0 lost
local conversation, fence, delay = unpack(ARGV, 6)

if was_given_back(conversation) then
  return 1
end
if not is_held(conversation, fence) then
  return 0
end
give_back(conversation)
due_at(conversation, now + tonumber(delay))
if tonumber(delay) <= 0 then
  hint(conversation)
end
return 1
