local key, token, lease = take(), take(), int()
local e = get(key)
if not e or not e.claimed or e.token ~= token then return 'claim lost' end
place(key, e, e.urgency, now() + lease)
return 'ok'
