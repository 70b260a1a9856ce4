-- How many are due in one lane, and when the first is.
local lane = take()
local t = now()
local due, next = 0, 0
for u = 1, 5 do
  due = due + redis.call('ZCOUNT', lane_key(lane, u), '-inf', string.format('%.0f', t))
  local first = redis.call('ZRANGE', lane_key(lane, u), 0, 0, 'WITHSCORES')
  if first[2] then
    local score = tonumber(first[2])
    if next == 0 or score < next then next = score end
  end
end
return { string.format('%.0f', t), string.format('%.0f', next), tostring(due) }
