local what = take()
if what == 'owed' then return redis.call('HGETALL', base .. 'owed') end
if what == 'head' then return redis.call('XREVRANGE', base .. 'log', '+', '-', 'COUNT', 1) end
return redis.call('XRANGE', base .. 'log', '(' .. take() .. '-0', '+', 'COUNT', take())
