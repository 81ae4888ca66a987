-- platforms (none: all)... -> the time in microseconds at which the first of them is due, or was; nothing where none will
local first
for _, platform in ipairs(platforms_from(6)) do
  local found = redis.call('ZRANGE', key('due', platform), 0, 0, 'WITHSCORES')
  if found[2] and (not first or tonumber(found[2]) < first) then
    first = tonumber(found[2])
  end
end
return first and digits(first) or false
