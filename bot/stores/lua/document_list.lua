-- -> of each document: path, folded, newest version, facts and meta of that
local found = {}
for _, id in ipairs(redis.call('HVALS', PATHS)) do
  local f = redis.call('HMGET', part('doc', id), 'path', 'folded', 'version')
  local facts, meta = redis.call('HGET', part('facts', id), f[3]), redis.call('HGET', part('metas', id), f[3])
  table.insert(found, { f[1], f[2], f[3], facts, meta })
end
return found
