local max = int()
local out = {}
for i, key in ipairs(redis.call('ZRANGE', base .. 'deadq', 0, max - 1, 'REV')) do out[i] = redis.call('HGET', base .. 'dead', key) end
return out
