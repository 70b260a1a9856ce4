-- Takes what is due in one lane: the most urgent first, then the oldest.
local lane, max, lease, owner = take(), int(), int(), take()
local t = now()
local left, claims, next = max, {}, 0
local function first(u)
  return tonumber(redis.call('ZRANGE', lane_key(lane, u), 0, 0, 'WITHSCORES')[2])
end
for u = 1, 5 do
  local score = first(u)
  if left > 0 and score and score <= t then
    for _, key in ipairs(redis.call('ZRANGE', lane_key(lane, u), '-inf', string.format('%.0f', t), 'BYSCORE', 'LIMIT', 0, left)) do
      local e = get(key)
      left = left - 1
      local before = e.claimed and e.owner or ''
      if not e.claimed then redis.call('HINCRBY', base .. 'held', lane, 1) end
      e.claimed, e.attempt, e.owner = true, e.attempt + 1, owner
      e.token = string.format('%.0f', redis.call('INCR', base .. 'token'))
      put(key, e)
      redis.call('ZADD', lane_key(lane, u), string.format('%.0f', t + lease), key)
      claims[#claims + 1] = { key, e.token, tostring(e.attempt), tostring(e.urgency), before, e.body }
    end
    score = first(u)
  end
  if score and (next == 0 or score < next) then next = score end
end
return { string.format('%.0f', t), string.format('%.0f', next), claims }
