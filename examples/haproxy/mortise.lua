-- Asks Mortise about a request. Mortise was started with MORTISE_GATEWAY_LISTEN=127.0.0.1:8081.
local question = "http://127.0.0.1:8081/v1/authorize/organizations/default;scope=read:orders/"

local identity = {
    "x-mortise-key-id", "x-mortise-kind", "x-mortise-workspace", "x-mortise-organization", "x-mortise-subject",
    "x-mortise-scopes", "x-mortise-mode", "x-mortise-name",
}
local for_client = { "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "content-type" }

-- Returns all values of a header as the client for HTTP takes them.
local function values(headers, name)
    local list = {}
    local index = 0
    while headers[name] and headers[name][index] do
        table.insert(list, headers[name][index])
        index = index + 1
    end
    return list
end

core.register_action("mortise", { "http-req" }, function(txn)
    local headers = txn.http:req_get_headers()
    local answer = core.httpclient():get({
        url = question,
        headers = {
            ["x-api-key"] = values(headers, "x-api-key"),
            ["authorization"] = values(headers, "authorization"),
            ["x-forwarded-for"] = { txn.sf:src() },
        },
        timeout = 3000,
    })
    if answer and answer.status == 200 then
        for _, name in ipairs(identity) do
            txn.http:req_set_header(name, answer.headers[name] and answer.headers[name][0] or "")
        end
        txn:set_var("txn.mortise_let_in", true)
        return
    end
    -- Nobody passes without an answer.
    local refused = answer and answer.status and answer.status >= 400
    local reply = txn:reply({ status = refused and answer.status or 503 })
    if refused then
        for _, name in ipairs(for_client) do
            if answer.headers[name] then reply:add_header(name, answer.headers[name][0]) end
        end
        if answer.body then reply:set_body(answer.body) end
    else
        reply:add_header("retry-after", "2")
    end
    txn:done(reply)
end)
