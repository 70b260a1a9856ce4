local key, token, delay, channel, message = take(), take(), int(), take(), take()
local e = get(key)
if not e or not e.claimed or e.token ~= token then return 'claim lost' end
wait_until(key, e, math.max(now() + delay, 1))
tell(channel, message)
return 'ok'
