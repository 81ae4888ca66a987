-- Stands behind shared.lua and before each script over documents. A space has a hash tag of its own, so all its keys are
-- in one slot: SPACE (key, last number given out, last id, bytes used), PATHS (folded path to id), and of each document
-- its `doc:` (path, folded, newest version, time of that), its numbers of versions in order, and of each version its
-- text, its meta, and "time size path".

local SPACE = KEYS[1] .. 'space'
local PATHS = KEYS[1] .. 'paths'
local WRITTEN = KEYS[1] .. 'keys' -- of changes: the version that came of it
local WRITTEN_ORDER = KEYS[1] .. 'key-order'

local function part(kind, id)
  return KEYS[1] .. kind .. ':' .. id
end

local function used()
  return tonumber(redis.call('HGET', SPACE, 'used') or 0)
end

-- id, path, newest version; nothing where there is none
local function document(folded)
  local id = redis.call('HGET', PATHS, folded)
  if not id then
    return nil, nil, 0
  end
  local found = redis.call('HMGET', part('doc', id), 'path', 'version')
  return id, found[1], tonumber(found[2])
end

-- What was done under that key before, in the form of an answer; nothing where nothing was.
local function done_before(change, path)
  local version = redis.call('HGET', WRITTEN, change)
  return version and { 'written', path, tonumber(version), 0 }
end

local function done(change, most, path, version)
  redis.call('HSET', WRITTEN, change, version)
  redis.call('RPUSH', WRITTEN_ORDER, change)
  if redis.call('LLEN', WRITTEN_ORDER) > tonumber(most) then
    redis.call('HDEL', WRITTEN, redis.call('LPOP', WRITTEN_ORDER))
  end
  return { 'written', path, version, used() }
end

local function add_version(id, version, path, at, text, meta)
  local size = #text + #meta
  redis.call('RPUSH', part('versions', id), version)
  redis.call('HSET', part('texts', id), version, text)
  redis.call('HSET', part('metas', id), version, meta)
  redis.call('HSET', part('facts', id), version, at .. ' ' .. size .. ' ' .. path)
  redis.call('HINCRBY', SPACE, 'used', size)
end

local function drop(id)
  local size = 0
  for _, facts in ipairs(redis.call('HVALS', part('facts', id))) do
    size = size + tonumber(string.match(facts, '^%d+ (%d+) '))
  end
  redis.call('HINCRBY', SPACE, 'used', -size)
  redis.call('HDEL', PATHS, redis.call('HGET', part('doc', id), 'folded'))
  redis.call('UNLINK', part('doc', id), part('versions', id), part('texts', id), part('metas', id), part('facts', id))
end

