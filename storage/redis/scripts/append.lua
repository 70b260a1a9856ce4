-- One entry into the shard's log. The writer's number makes it happen once:
-- a number that was seen, or is behind one that was, is not written again.
local writer, number, limit, ttl, body, channel, message = take(), int(), int(), take(), take(), take(), take()
local seen = base .. 'w:' .. writer
local last = redis.call('GET', seen)
if last then
  local n, offset = string.match(last, '^(%d+):(%d+)$')
  if tonumber(n) >= number then return offset end
end
local folded = tonumber(redis.call('HGET', base .. 'marks', string.match(base, '{s(%d+)}')) or '0')
local count = tonumber(redis.call('GET', base .. 'end') or '0')
if limit > 0 and count - folded >= limit then return 'full' end
redis.call('SET', seen, string.format('%d:%d', number, count + 1), 'PX', ttl)
redis.call('SET', base .. 'end', count + 1)
redis.call('XADD', base .. 'log', string.format('%d-0', count + 1), 'b', body)
tell(channel, message)
return tostring(count + 1)
