-- Sends prepared requests with wrk. The argument is a file with one request on each line, in which \r\n stands for the end of a line.
-- Each thread goes through all requests, from a start of its own. The last line of the output is JSON with the counts.
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local requests = {}
local position = 0

function init(arguments)
    for line in io.lines(arguments[1]) do
        requests[#requests + 1] = line:gsub("\\r\\n", "\r\n")
    end
    position = math.floor(#requests * number / 2)
end

function request()
    position = position % #requests + 1
    return requests[position]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format(
        '{"answers": %d, "microseconds": %d, "refused": %d, "broken": %d, "median": %d}',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50)))
end
