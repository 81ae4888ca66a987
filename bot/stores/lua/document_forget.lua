-- 1 to only count -> documents, versions
local ids, versions = redis.call('HVALS', PATHS), 0
for _, id in ipairs(ids) do
  versions = versions + redis.call('LLEN', part('versions', id))
  if ARGV[6] == '0' then
    drop(id)
  end
end
if ARGV[6] == '0' then
  local counts = #ids .. ' ' .. versions
  local before, by = string.match(redis.call('HGET', SPACE, 'forgotten') or '', '^(%d+ %d+) (.*)$')
  if again and by == token then
    counts = before
  end
  redis.call('HSET', SPACE, 'forgotten', counts .. ' ' .. token)
  local documents, all = string.match(counts, '^(%d+) (%d+)$')
  return { tonumber(documents), tonumber(all) }
end
return { #ids, versions }
