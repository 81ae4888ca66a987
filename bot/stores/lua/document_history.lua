-- folded path -> of each version, oldest first: number, facts, meta
local found = {}
local id = document(ARGV[6])
for _, version in ipairs(id and redis.call('LRANGE', part('versions', id), 0, -1) or {}) do
  local facts, meta = redis.call('HGET', part('facts', id), version), redis.call('HGET', part('metas', id), version)
  table.insert(found, { version, facts, meta })
end
return found
