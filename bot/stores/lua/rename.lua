-- day, scope, another scope -> 1 what was counted under the one is counted under the other now, 0 there was nothing
local budget, moved = key('budget', ARGV[6]), 0

for _, part in ipairs({ 't ', 'm ', 'T ', 'M ' }) do
  local was = redis.call('HGET', budget, part .. ARGV[7])
  if was and ARGV[7] ~= ARGV[8] then
    redis.call('HINCRBY', budget, part .. ARGV[8], was)
    redis.call('HDEL', budget, part .. ARGV[7])
    moved = 1
  end
end
return moved
