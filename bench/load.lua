-- Sends the requests that a file describes, drawn by lot, and counts answers without the marker. Prints one line of JSON.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrong, whole = 0, {}
  local file = assert(io.open(args[1], "rb"))
  local function line() return file:read("*l") end
  marker = line()
  for method in line do
    local path, headers = line(), {}
    for _ = 1, tonumber(line()) do
      local name = line()
      headers[name] = line()
    end
    local length = tonumber(line())
    local body = length > 0 and file:read(length) or nil
    line()
    whole[#whole + 1] = wrk.format(method, path, headers, body)
  end
  file:close()
  local pause = tonumber(args[2])
  if pause > 0 then
    function delay() return pause * (0.5 + math.random()) end
  end
end

function request()
  return whole[math.random(#whole)]
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
