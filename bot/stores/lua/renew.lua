-- conversation, fence, lease in microseconds -> 1 held, 0 lost
local conversation, fence, lease = unpack(ARGV, 6)

if not is_held(conversation, fence) then
  return 0
end
due_at(conversation, now + tonumber(lease))
return 1
