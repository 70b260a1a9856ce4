-- Pieces of rings: the Stream 'items' has all of a kind, by number (7-0), with the
-- ring's name r and key k, the time t, the body b; 'of:KEY' lists a ring's numbers
-- and costs, the oldest first; 'bytes' has what each ring costs, and '' all of them.
-- What nothing is added to for ttl goes by itself, all but the number 'n'.
local most, all, age, ttl, count = int(), int(), int(), int(), int()
local items, bytes = base .. 'items', base .. 'bytes'
local t = now()
local function grow(key, cost)
  redis.call('HINCRBY', bytes, '', cost)
  local left = redis.call('HINCRBY', bytes, key, cost)
  if left <= 0 and cost < 0 then redis.call('HDEL', bytes, key) end
  return left
end
-- shift drops the oldest of a ring; false where there is none.
local function shift(key)
  local entry = redis.call('LPOP', base .. 'of:' .. key)
  if not entry then return false end
  local number, cost = string.match(entry, '^(%d+) (%d+)$')
  redis.call('XDEL', items, number .. '-0')
  grow(key, -tonumber(cost))
  return true
end
-- relist makes the list of a ring again that ended by itself, as that of a ring to which
-- nothing was added for long: else what the stream still has of it would count, and the
-- newest be dropped for it.
local function relist(key)
  local counted = tonumber(redis.call('HGET', bytes, key) or '0')
  if counted <= 0 or redis.call('EXISTS', base .. 'of:' .. key) == 1 then return end
  local from, cost = '-', 0
  while from do
    local found = redis.call('XRANGE', items, from, '+', 'COUNT', 64)
    for _, item in ipairs(found) do
      local f = {}
      for i = 1, #item[2], 2 do f[item[2][i]] = item[2][i + 1] end
      if f.k == key then
        redis.call('RPUSH', base .. 'of:' .. key, string.match(item[1], '^%d+') .. ' ' .. f.c)
        cost = cost + tonumber(f.c)
      end
    end
    from = #found == 64 and '(' .. found[64][1]
  end
  grow(key, cost - counted)
end
local n = tonumber(redis.call('GET', base .. 'n') or '0')
for _ = 1, count do
  local ring, key, cost, body = take(), take(), int(), take()
  n = n + 1
  relist(key)
  redis.call('XADD', items, string.format('%d-0', n), 'r', ring, 'k', key, 't', string.format('%.0f', t), 'c', cost, 'b', body)
  redis.call('RPUSH', base .. 'of:' .. key, string.format('%d %d', n, cost))
  redis.call('PEXPIRE', base .. 'of:' .. key, ttl)
  local size = grow(key, cost)
  while size > most and shift(key) do size = tonumber(redis.call('HGET', bytes, key) or '0') end
end
redis.call('SET', base .. 'n', string.format('%d', n))
local aged = 0
while true do
  local oldest = redis.call('XRANGE', items, '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  local f = {}
  for i = 1, #oldest[2], 2 do f[oldest[2][i]] = oldest[2][i + 1] end
  if tonumber(redis.call('HGET', bytes, '') or '0') <= all then
    aged = aged + 1
    if age == 0 or tonumber(f.t) >= t - age or aged > 256 then break end
  end
  -- The oldest of all is the oldest of its ring, unless that list has ended already.
  local first = redis.call('LINDEX', base .. 'of:' .. f.k, 0)
  if first and string.match(first, '^(%d+)') .. '-0' == oldest[1] then
    shift(f.k)
  else
    redis.call('XDEL', items, oldest[1])
    grow(f.k, -tonumber(f.c))
  end
end
redis.call('PEXPIRE', items, ttl)
redis.call('PEXPIRE', bytes, ttl)
return string.format('%d', n)
