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
            goal: "at least 0.7x",
            isMet: rate >= 0.7 * yardstick
        )
        let resident = try installation.residentMegabytes()
        Report.figure(
            "resident memory of `mortise serve` afterwards",
            "\(resident) MB",
            goal: "at most 120 MB",
            isMet: resident <= 120
        )
    }

    /// The order in which a thread of wrk takes the tokens.
    enum Choice: String {
        /// One after the other, from a random start.
        case inTurn = "next = next % #tokens + 1"
        /// At random, the token in place n in proportion to 1/n.
        case zipf = """
            local low, high, x = 1, #tokens, math.random() * sums[#tokens]
                while low < high do
                    local middle = math.floor((low + high) / 2)
                    if sums[middle] < x then low = middle + 1 else high = middle end
                end
                next = low
            """
    }

    /// Returns Lua for wrk, with which any answer but a valid verdict ends the run.
    ///
    /// - Parameters:
    ///   - installation: The installation.
    ///   - tokens: The file with the tokens.
    ///   - count: The number of tokens of the file to use.
    ///   - choice: The order.
    /// - Returns: The script.
    static func script(
        _ installation: Installation,
        tokens: String,
        first count: Int = .max,
        choice: Choice = .inTurn
    ) -> String {
        """
        local tokens, sums, sum = {}, {}, 0
        for line in io.lines("\(tokens)") do
            if #tokens == \(count) then break end
            tokens[#tokens + 1] = line
            sum = sum + 1 / #tokens
            sums[#tokens] = sum
        end
        local next = 0
        function init(args) math.randomseed(os.time() + tonumber(tostring({}):sub(8), 16) % 100000) next = math.random(#tokens) end
        local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer \(installation.adminToken)" }
        function request()
            \(choice.rawValue)
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
