-- wrk's side of load.py: bodies of a file in turn, and the figures as JSON.
-- Arguments: the file, its media type, and "lines" (a body a line) or "whole".

local requests = {}
local at = 0

function init(args)
  wrk.headers["content-type"] = args[2]
  if args[3] == "whole" then
    local file = io.open(args[1], "rb")
    requests[1] = wrk.format("POST", nil, nil, file:read("*a"))
    file:close()
  else
    for line in io.lines(args[1]) do
      requests[#requests + 1] = wrk.format("POST", nil, nil, line)
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "time_s": %.6f, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
