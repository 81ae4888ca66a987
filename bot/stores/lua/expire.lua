-- time in microseconds, most
-- Deletes what has been idle since before then, at most so many conversations, and as many dead letters of before then.
-- -> how many conversations had a state, 1 where there may be more or 0
local before, most = '(' .. ARGV[6], tonumber(ARGV[7])
local states, is_full = 0, false

local idle = redis.call('ZRANGEBYSCORE', IDLE, '-inf', before, 'LIMIT', 0, most)
is_full = #idle == most
for _, conversation in ipairs(idle) do
  states = states + redis.call('HEXISTS', key('conv', conversation), 'state')
  -- What is long would hold up everybody, were it freed right here.
  for _, kind in ipairs({ 'conv', 'log', 'spent', 'paid', 'mail', 'taken', 'blanked' }) do
    redis.call('UNLINK', key(kind, conversation))
  end
  redis.call('ZREM', IDLE, conversation)
  if redis.call('EXISTS', key('audit', conversation)) == 0 then
    redis.call('ZREM', NAMES, conversation)
  end
end
for _, platform in ipairs(redis.call('SMEMBERS', PLATFORMS)) do
  local letters = redis.call('ZRANGEBYSCORE', key('dead', platform), '-inf', before, 'LIMIT', 0, most)
  is_full = is_full or #letters == most
  for _, letter in ipairs(letters) do
    drop_letter(letter)
  end
end
return { states, is_full and 1 or 0 }
