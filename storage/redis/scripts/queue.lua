-- An effect is one field of the hash fx:
--   state|due|urgency|attempt|token|again|lane|owner|body
-- state 0 waits, 1 is claimed; times are microseconds of this server's clock;
-- again is when it is due once more after being acknowledged, 0 for not. It
-- stands in the sorted set q:<lane>:<urgency> by the time at which it may be
-- claimed: when it is due, or when its claim runs out.
local function lane_key(lane, urgency) return base .. 'q:' .. lane .. ':' .. urgency end

local function get(key)
  local v = redis.call('HGET', base .. 'fx', key)
  if not v then return nil end
  local state, due, urgency, attempt, token, again, lane, owner, body =
    string.match(v, '^(%d)|(%d+)|(%d)|(%d+)|(%d+)|(%d+)|([^|]*)|([^|]*)|(.*)$')
  return {
    claimed = state == '1', due = tonumber(due), urgency = tonumber(urgency), attempt = tonumber(attempt),
    token = token, again = tonumber(again), lane = lane, owner = owner, body = body,
  }
end

local function put(key, e)
  redis.call('HSET', base .. 'fx', key, string.format('%d|%.0f|%d|%d|%s|%.0f|%s|%s|%s',
    e.claimed and 1 or 0, e.due, e.urgency, e.attempt, e.token, e.again, e.lane, e.owner, e.body))
end

-- place sets when the effect may be claimed, at the urgency it has now.
local function place(key, e, from, score)
  if from ~= e.urgency then redis.call('ZREM', lane_key(e.lane, from), key) end
  redis.call('ZADD', lane_key(e.lane, e.urgency), string.format('%.0f', score), key)
end

local function enqueue(key, lane, urgency, due, body)
  local e = get(key)
  if not e then
    e = { claimed = false, due = due, urgency = urgency, attempt = 0, token = '0', again = 0, lane = lane, owner = '', body = body }
    put(key, e)
    redis.call('ZADD', lane_key(lane, urgency), string.format('%.0f', due), key)
    redis.call('SADD', base .. 'lanes', lane)
    return
  end
  local from = e.urgency
  if urgency < e.urgency then e.urgency = urgency end
  if e.claimed then
    if e.again == 0 or due < e.again then e.again = due end
    if from ~= e.urgency then
      local score = redis.call('ZSCORE', lane_key(e.lane, from), key)
      place(key, e, from, tonumber(score))
    end
  elseif due < e.due then
    e.due = due
    place(key, e, from, due)
  elseif from ~= e.urgency then
    place(key, e, from, e.due)
  else
    return
  end
  put(key, e)
end

local function let_go(e)
  if e.claimed then redis.call('HINCRBY', base .. 'held', e.lane, -1) end
  e.claimed, e.owner = false, ''
end

-- wait_until puts a claimed effect back.
local function wait_until(key, e, due)
  let_go(e)
  e.due, e.again = due, 0
  put(key, e)
  place(key, e, e.urgency, due)
end

-- finish says whether the effect was asked for meanwhile and waits again.
local function finish(key, e)
  if e.again > 0 then
    e.attempt = 0
    wait_until(key, e, e.again)
    return true
  end
  let_go(e)
  redis.call('HDEL', base .. 'fx', key)
  redis.call('ZREM', lane_key(e.lane, e.urgency), key)
end
