-- key, conversation, model, input, output, cache read, cache write -> 1 added, 0 added before
local effect, conversation, model = unpack(ARGV, 6, 8)
local COUNTERS = { 'input', 'output', 'cache_read', 'cache_write' }

if redis.call('SADD', key('paid', conversation), effect) == 0 then
  return 0
end
for n, counter in ipairs(COUNTERS) do
  redis.call('HINCRBY', key('spent', conversation), counter .. ' ' .. model, ARGV[8 + n])
end
if not is_due(conversation) then
  rest(conversation)
end
return 1
