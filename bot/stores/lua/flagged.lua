-- (conversation, head of its claim)... -> for each of them that was flagged, its number from 1 and the flag
local found = {}
for place = 6, #ARGV, 2 do
  local kept = redis.call('HMGET', key('conv', ARGV[place]), 'flag_head', 'flag')
  if kept[2] and kept[1] == ARGV[place + 1] then
    table.insert(found, { (place - 4) / 2, kept[2] })
  end
end
return found
