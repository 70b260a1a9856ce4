-- Every script starts with this. KEYS[1] is the prefix of one shard with its
-- hash tag, "hikeshi:{s3}:"; all other keys are made from it, so a script never
-- leaves its slot. ARGV is read in order, by take().
local base = KEYS[1]
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function int() return tonumber(take()) end

local function now()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

-- tell passes signals on to other replicas. A user who may not publish loses
-- only the speed of it.
local function tell(channel, message)
  if channel ~= '' then redis.pcall('PUBLISH', channel, message) end
end
