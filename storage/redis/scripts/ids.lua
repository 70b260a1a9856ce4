-- Numbers ascend over all shards; the string "shards" holds one byte for each,
-- its shard plus one.
local n, shard = int(), int()
local last = redis.call('INCRBY', base .. 'ids', n)
redis.call('SETRANGE', base .. 'shards', last - n + 1, string.rep(string.char(shard + 1), n))
return last - n + 1
