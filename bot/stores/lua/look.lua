-- version, platforms (none: all)... -> 1 when a claim would find something, else 0
local version = ARGV[6]

for conversation in by_due(platforms_from(7), 10) do
  if not is_newer(conversation, version) then
    return 1
  end
end
return 0
