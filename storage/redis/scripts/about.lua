-- The first to come says how many shards there are, for ever. Whoever writes a
-- newer form says so before it writes, so that an older release does not open
-- what it cannot read; whoever wants other shards will be refused, and says nothing.
local schema, shards, wanted = int(), int(), int()
redis.call('HSETNX', base .. 'about', 'schema', schema)
redis.call('HSETNX', base .. 'about', 'shards', shards)
local about = redis.call('HMGET', base .. 'about', 'schema', 'shards')
if tonumber(about[1]) < schema and (wanted == 0 or wanted == tonumber(about[2])) then
  redis.call('HSET', base .. 'about', 'schema', schema)
end
return about
