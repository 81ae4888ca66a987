-- conversation, 1 to take it from who works on it or 0, then of each change: where, which one there, what it was, what
-- it is to be (empty: taken out of the mailbox, or the letter deleted)
-- -> how many were not found as they were, and so were let be
local conversation, seizes = ARGV[6], ARGV[7] == '1'
local CHANGES = 8
local conv = key('conv', conversation)
local stale, withdrawn = 0, false

local function rewrite(where, which, was, is)
  if where == 'conv' then
    return redis.call('HGET', conv, which) == was and redis.call('HSET', conv, which, is)
  elseif where == 'mail' then
    local mail = key('mail', conversation)
    withdrawn = withdrawn or is == ''
    return redis.call('ZREM', mail, was) == 1 and (is == '' or redis.call('ZADD', mail, 0, is))
  elseif where == 'letter' then
    local letter = key('letter', which)
    if redis.call('HGET', letter, 'messages') ~= was then
      return false
    end
    if is == '' then
      drop_letter(which)
    else
      -- Behind the kind of error stands what it said, which may quote what is gone.
      local kind = string.match(redis.call('HGET', letter, 'reason') or '', '^[^:]*')
      redis.call('HSET', letter, 'messages', is, 'reason', kind)
    end
    return true
  end
  if where == 'post' then
    local posts = key('posts', conversation)
    local kept = redis.call('HGET', posts, which)
    local number, state, change, at, body = string.match(kept or '', '^(%d+) (%a+) (%d+) (%d+) (.*)$')
    if body ~= was then
      return false
    end
    change = digits(redis.call('HINCRBY', key('post-count', conversation), 'change', 1))
    redis.call('HSET', posts, which, table.concat({ number, state, change, at, is }, ' '))
    redis.call('ZADD', key('post-changes', conversation), change, which)
    return true
  end
  local list = key(where, conversation)
  return redis.call('LINDEX', list, which) == was and redis.call('LSET', list, which, is)
end

for n = CHANGES, #ARGV, 4 do
  if not rewrite(unpack(ARGV, n, n + 3)) then
    stale = stale + 1
  end
end
if seizes and stale == 0 and redis.call('HGET', conv, 'held') == '1' then
  redis.call('HINCRBY', conv, 'fence', 1)
  redis.call('HSET', conv, 'lapsed', digits(tonumber(redis.call('HGET', conv, 'lapsed') or 0) * 2 % LAPSES))
  give_back(conversation)
  due_at(conversation, now)
  hint(conversation)
end
if withdrawn and redis.call('EXISTS', key('mail', conversation), key('taken', conversation)) == 0 then
  rest(conversation)
end
return stale
