local after, count = take(), take()
return { redis.call('GET', base .. 'n') or '0', redis.call('XRANGE', base .. 'items', '(' .. after .. '-0', '+', 'COUNT', count) }
