-- A posting is rev|at|edited|bytes of key|key body, in the hash b by its place
-- in the room; k finds the place by the key, v orders the places by revision.
-- Whoever posts has the body, and is answered without it.
local room, key, stamp, body, channel, message = base .. 'r:' .. take(), take(), take(), take(), take(), take()
local seq = redis.call('HGET', room .. ':k', key)
local latest = redis.call('ZRANGE', room .. ':v', -1, -1, 'WITHSCORES')
local rev = tonumber(latest[2] or '0') + 1
local first, edited = stamp, '0'
if seq then
  local old = redis.call('HGET', room .. ':b', seq)
  local _, was, _, bytes, rest = string.match(old, '^(%d+)|(%-?%d+)|(%-?%d+)|(%d+)|(.*)$')
  if string.sub(rest, tonumber(bytes) + 1) == body then return { seq, string.sub(old, 1, -#body - 1) } end
  first, edited = was, stamp
else
  seq = tostring(redis.call('HLEN', room .. ':b') + 1)
  redis.call('HSET', room .. ':k', key, seq)
end
local head = string.format('%.0f|%s|%s|%d|', rev, first, edited, #key) .. key
redis.call('HSET', room .. ':b', seq, head .. body)
redis.call('ZADD', room .. ':v', rev, seq)
tell(channel, message)
return { seq, head }
