-- The latest snapshot, if any, and the events after it, for each id whose
-- version is not the one at hand.
local out = {}
for i = 1, int() do
  local id, known = take(), int()
  local version = redis.call('LLEN', base .. 'e:' .. id)
  if version == 0 then
    out[i] = 'none'
  elseif version == known then
    out[i] = 'same'
  else
    local snapshot = redis.call('GET', base .. 'n:' .. id) or '0:'
    out[i] = { snapshot, redis.call('LRANGE', base .. 'e:' .. id, string.match(snapshot, '^%d+'), -1) }
  end
end
return out
