import FoundationEssentials

/// `POST /v1/verify` over HTTP, loaded by `wrk`, with a different key each time.
enum Verifications {
    static func measure(_ installation: Installation, _ options: BenchOptions, yardstick: Double) async throws {
        let script = try installation.write("verify.lua", Self.script(installation, tokens: installation.tokensFile))
        var rates: [Double] = []
        for _ in 0..<options.rounds {
            rates.append(try await installation.wrk(script, connections: options.clients, seconds: options.seconds))
        }
        let rate = Report.median(rates)
        Report.ratio(
            "POST /v1/verify a second, 64 connections, no cache, against that pgbench",
            rate,
            yardstick,
            goal: "at least 0.5x",
            isMet: rate >= 0.5 * yardstick
        )
        let resident = try installation.residentMegabytes()
        Report.figure(
            "resident memory of `mortise serve` afterwards",
            "\(resident) MB",
            goal: "at most 120 MB",
            isMet: resident <= 120
        )
    }

    /// Lua for wrk: each thread goes through the sampled tokens from a random start, and anything but a valid verdict ends the run.
    static func script(_ installation: Installation, tokens: String) -> String {
        """
        local tokens = {}
        for line in io.lines("\(tokens)") do tokens[#tokens + 1] = line end
        local next = 0
        function init(args) math.randomseed(os.time() + tonumber(tostring({}):sub(8), 16) % 100000) next = math.random(#tokens) end
        local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer \(installation.adminToken)" }
        function request()
            next = next % #tokens + 1
            return wrk.format("POST", "/v1/verify", headers, '{"token":"' .. tokens[next] .. '"}')
        end
        local wrong = 0
        function response(status, headers, body)
            if status ~= 200 or not body:find('"valid":true', 1, true) then
                wrong = wrong + 1
                if wrong == 1 then print("unexpected answer: " .. status .. " " .. body) end
            end
        end
        """
    }
}
