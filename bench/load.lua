-- Sends the request that the file REQUEST describes and counts answers without its marker. Prints one line of JSON.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrong = 0
  local file = assert(io.open(args[1], "rb"))
  local function line() return file:read("*l") end
  wrk.method, wrk.path, marker = line(), line(), line()
  for _ = 1, tonumber(line()) do
    local name = line()
    wrk.headers[name] = line()
  end
  wrk.body = file:read("*a")
  if wrk.body == "" then wrk.body = nil end
  file:close()
  whole = wrk.format()
end

function request()
  return whole
end

function response(status, headers, body)
  if status ~= 200 or not body:find(marker, 1, true) then wrong = wrong + 1 end
end

function done(summary, latency, requests)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("wrong") end
  local errors = summary.errors
  io.write(string.format(
    'JSON {"calls":%d,"micros":%d,"p50":%d,"p99":%d,"wrong":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), wrong,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
