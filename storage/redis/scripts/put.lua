local name, expect, body, channel, message = base .. 'setting:' .. take(), take(), take(), take(), take()
if (redis.call('HGET', name, 'v') or '0') ~= expect then return 0 end
redis.call('HSET', name, 'v', string.format('%.0f', tonumber(expect) + 1), 'b', body)
tell(channel, message)
return 1
