-- time in microseconds -> how many dead letters of before then were deleted
local before, gone = tonumber(ARGV[6]), 0

for _, letter in ipairs(redis.call('ZRANGE', LETTERS, 0, -1)) do
  if tonumber(redis.call('HGET', key('letter', letter), 'at') or 0) < before then
    redis.call('ZREM', LETTERS, letter)
    redis.call('DEL', key('letter', letter))
    gone = gone + 1
  end
end
return gone
