-- Everything in a commit, or nothing: first every check, then every write.
-- The caller's number makes it happen once, though we may send it twice because
-- an answer was lost.
local seen, number, seen_ttl = base .. 'c:' .. take(), int(), take()
if tonumber(redis.call('GET', seen) or '0') >= number then return 'ok' end

local once, once_ttl = take(), take()
if once ~= '' and redis.call('EXISTS', base .. 'once:' .. once) == 1 then return 'once' end

local done_key, done_token, dead_at, dead = take(), take(), take(), take()
local done
if done_key ~= '' then
  done = get(done_key)
  if not done or not done.claimed or done.token ~= done_token then return 'claim lost' end
end

local fold_log, fold_from, fold_to = take(), take(), take()
if fold_log ~= '' and (redis.call('HGET', base .. 'marks', fold_log) or '0') ~= fold_from then return 'conflict' end

local changes = {}
for i = 1, int() do
  local c = { id = take(), expect = int(), version = take(), open = take() == '1', service = take(), summary = take(), snapshot = take(), events = {} }
  for j = 1, int() do c.events[j] = take() end
  if redis.call('LLEN', base .. 'e:' .. c.id) ~= c.expect then return 'conflict' end
  changes[i] = c
end

local groups = {}
for i = 1, int() do
  local g = { key = take(), expect = take(), next = take() }
  if (redis.call('HGET', base .. 'groups', g.key) or '') ~= g.expect then return 'conflict' end
  groups[i] = g
end

redis.call('SET', seen, string.format('%d', number), 'PX', seen_ttl)
for _, c in ipairs(changes) do
  for _, e in ipairs(c.events) do redis.call('RPUSH', base .. 'e:' .. c.id, e) end
  if c.snapshot ~= '' then redis.call('SET', base .. 'n:' .. c.id, c.version .. ':' .. c.snapshot) end
  redis.call('HSET', base .. 'sums', c.id, c.summary)
  local service = c.service ~= '' and base .. 'svc:' .. c.service
  if c.expect == 0 then
    redis.call('ZADD', base .. 'all', c.id, c.id)
    if service then redis.call('ZADD', service, c.id, c.id) end
  end
  if c.open then
    redis.call('ZADD', base .. 'open', c.id, c.id)
    if service then redis.call('ZADD', service .. ':open', c.id, c.id) end
  elseif redis.call('ZREM', base .. 'open', c.id) == 1 and service then
    redis.call('ZREM', service .. ':open', c.id)
  end
end
for _, g in ipairs(groups) do
  if g.next == '' then redis.call('HDEL', base .. 'groups', g.key) else redis.call('HSET', base .. 'groups', g.key, g.next) end
end
if fold_log ~= '' then redis.call('HSET', base .. 'marks', fold_log, fold_to) end
if once ~= '' then redis.call('SET', base .. 'once:' .. once, '1', 'PX', once_ttl) end

local again = false
if done then
  again = finish(done_key, done)
  if dead ~= '' then
    redis.call('HSET', base .. 'dead', done_key, dead)
    redis.call('ZADD', base .. 'deadq', dead_at, done_key)
  end
end
local effects = int()
if effects > 0 then
  local t = now()
  for _ = 1, effects do
    local key, lane, urgency, delay, body = take(), take(), int(), int(), take()
    if not (dead ~= '' and key == done_key) then enqueue(key, lane, urgency, math.max(t + delay, 1), body) end
  end
end
for _ = 1, int() do redis.call('RPUSH', base .. 'facts', take()) end
tell(take(), take())
return again and 'again' or 'ok'
