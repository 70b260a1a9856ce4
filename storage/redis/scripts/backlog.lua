local lanes = {}
for i, lane in ipairs(redis.call('SMEMBERS', base .. 'lanes')) do
  local count, first = 0, 0
  for u = 1, 5 do
    count = count + redis.call('ZCARD', lane_key(lane, u))
    local head = redis.call('ZRANGE', lane_key(lane, u), 0, 0, 'WITHSCORES')
    if head[2] then
      local score = tonumber(head[2])
      if first == 0 or score < first then first = score end
    end
  end
  lanes[i] = { lane, tostring(count), redis.call('HGET', base .. 'held', lane) or '0', string.format('%.0f', first) }
end
local folded = tonumber(redis.call('HGET', base .. 'marks', string.match(base, '{s(%d+)}')) or '0')
local unfolded = tonumber(redis.call('GET', base .. 'end') or '0') - folded
return { string.format('%.0f', now()), tostring(unfolded), tostring(redis.call('HLEN', base .. 'dead')), lanes }
