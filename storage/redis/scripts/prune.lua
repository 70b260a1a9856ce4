-- Trims what is folded and older than keep, at most step entries. How old an
-- entry is follows from the laps: where the log ended at which time.
local keep, step = int(), int()
local t = now()
local count = tonumber(redis.call('GET', base .. 'end') or '0')
local laps = base .. 'laps'
redis.call('ZADD', laps, 'NX', string.format('%.0f', t), tostring(count))
local old = redis.call('ZRANGE', laps, string.format('%.0f', t - keep), '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)
local bound = tonumber(old[1] or '0')
redis.call('ZREMRANGEBYSCORE', laps, '-inf', '(' .. string.format('%.0f', t - keep))
if old[1] then redis.call('ZADD', laps, string.format('%.0f', t - keep), old[1]) end
local mark = tonumber(redis.call('HGET', base .. 'marks', string.match(base, '{s(%d+)}')) or '0')
if mark < bound then bound = mark end
local first = redis.call('XRANGE', base .. 'log', '-', '+', 'COUNT', 1)
if not first[1] then return 0 end
local lowest = tonumber(string.match(first[1][1], '^(%d+)'))
if lowest > bound then return 0 end
return redis.call('XTRIM', base .. 'log', 'MINID', '=', string.format('%d-0', math.min(bound, lowest + step - 1) + 1))
