-- The first to come says how many shards there are, for ever.
local schema, shards = take(), take()
redis.call('HSETNX', base .. 'about', 'schema', schema)
redis.call('HSETNX', base .. 'about', 'shards', shards)
return redis.call('HMGET', base .. 'about', 'schema', 'shards')
