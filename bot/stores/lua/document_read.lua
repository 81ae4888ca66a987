-- folded path, version or 0 -> path, version, text, meta, facts, newest version; nothing where there is none
local id, path, newest = document(ARGV[6])
local version = ARGV[7] == '0' and newest or tonumber(ARGV[7])
local text = id and redis.call('HGET', part('texts', id), version)
if not text then
  return nil
end
local meta, facts = redis.call('HGET', part('metas', id), version), redis.call('HGET', part('facts', id), version)
return { path, version, text, meta, facts, newest }
