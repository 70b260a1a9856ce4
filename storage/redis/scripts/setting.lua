-- A setting is a hash of its version v and its body b.
local found = redis.call('HMGET', base .. 'setting:' .. take(), 'v', 'b')
return { found[1] or '0', found[2] or '' }
