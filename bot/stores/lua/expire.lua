-- microseconds of idleness, how many to pass over, most, most to delete
-- Walks over what was noted as idle. What has been used since, or is too young by this look, is noted no longer; what was
-- noted a day ago or more is deleted.
-- -> conversations with a state that are gone, how many of either kind are gone, how many stay noted, 1 where there may
-- be more behind them or 0
local before, most, rest_of = now - tonumber(ARGV[6]), tonumber(ARGV[8]), tonumber(ARGV[9])
local BETWEEN_LOOKS = 24 * 3600 * 1000000
local states, gone, kept = 0, 0, 0

local function drop_conversation(conversation)
  states = states + redis.call('HEXISTS', key('conv', conversation), 'state')
  -- What is long would hold up everybody, were it freed right here.
  for _, kind in ipairs({ 'conv', 'log', 'spent', 'paid', 'mail', 'taken', 'blanked', 'posts', 'post-numbers', 'post-changes',
    'post-growing', 'post-count' }) do
    redis.call('UNLINK', key(kind, conversation))
  end
  redis.call('ZREM', IDLE, conversation)
  if redis.call('EXISTS', key('audit', conversation)) == 0 then
    redis.call('ZREM', NAMES, conversation)
  end
end

local function idle_since(kind, name)
  if kind == 'c' then
    return tonumber(redis.call('ZSCORE', IDLE, name) or nil)
  end
  local conversation = redis.call('HGET', key('letter', name), 'conversation')
  return conversation and tonumber(redis.call('ZSCORE', key('dead', platform_of(conversation)), name) or nil)
end

local found = redis.call('ZRANGE', LEAVING, ARGV[7], ARGV[7] + most - 1, 'WITHSCORES')
for n = 1, #found, 2 do
  local kind, since, name = string.match(found[n], '^(%a) (%S+) (.*)$')
  local at, noted = idle_since(kind, name), tonumber(found[n + 1])
  if not at or at ~= tonumber(since) or at >= before then
    redis.call('ZREM', LEAVING, found[n])
  elseif noted <= now - BETWEEN_LOOKS and gone < rest_of then
    local drop = kind == 'c' and drop_conversation or drop_letter
    drop(name)
    redis.call('ZREM', LEAVING, found[n])
    gone = gone + 1
  else
    if noted > now then
      redis.call('ZADD', LEAVING, digits(now), found[n]) -- the server's clock was set back
    end
    kept = kept + 1
  end
end
return { states, gone, kept, #found == 2 * most and 1 or 0 }
