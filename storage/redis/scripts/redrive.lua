local key, channel, message = take(), take(), take()
local letter = redis.call('HGET', base .. 'dead', key)
if not letter then return '' end
redis.call('HDEL', base .. 'dead', key)
redis.call('ZREM', base .. 'deadq', key)
local lane, urgency, body = take(), int(), take()
enqueue(key, lane, urgency, now(), body)
tell(channel, message)
return letter
