-- most, conversation or empty for all, id or empty -> newest first: id, conversation, messages, reason, time of each
local most, conversation, id = tonumber(ARGV[6]), ARGV[7], ARGV[8]
local found = {}

for _, letter in ipairs(id ~= '' and { id } or redis.call('ZREVRANGE', LETTERS, 0, -1)) do
  if #found >= most then
    break
  end
  local f = redis.call('HMGET', key('letter', letter), 'conversation', 'messages', 'reason', 'at')
  if f[1] and (conversation == '' or f[1] == conversation) then
    table.insert(found, { letter, f[1], f[2], f[3], f[4] })
  end
end
return found
