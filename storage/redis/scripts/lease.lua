local name, owner, ttl = base .. 'lease:' .. take(), take(), take()
local holder = redis.call('GET', name)
if holder and holder ~= owner then return 0 end
redis.call('SET', name, owner, 'PX', ttl)
return 1
