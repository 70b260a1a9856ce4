-- Whether something is due in one lane, and when the first is.
local lane = take()
local t = now()
local next = 0
for u = 1, 5 do
  local score = tonumber(redis.call('ZRANGE', lane_key(lane, u), 0, 0, 'WITHSCORES')[2])
  if score and (next == 0 or score < next) then next = score end
end
return { string.format('%.0f', t), string.format('%.0f', next), next > 0 and next <= t and '1' or '0' }
