import Foundation

/// `POST /v1/verify` of keys in memory, against the same without memory, and against a handler that answers with the same bytes.
enum VerificationsFromMemory {
    /// The keys that are in use, few enough to be in memory after the first seconds.
    private static let keys = 1000

    static func measure(_ installation: Installation, _ options: BenchOptions) async throws {
        let hot = try installation.write(
            "hot.lua",
            Verifications.script(installation, tokens: installation.tokensFile, first: keys)
        )
        let every = try installation.write(
            "every.lua",
            Verifications.script(installation, tokens: installation.tokensFile)
        )
        let tokens = try String(contentsOfFile: installation.tokensFile, encoding: .utf8)
        try await installation.withMemory { memory in
            let question = #"{"token":"\#(tokens.prefix { $0 != "\n" })"}"#
            let verdict = try await memory.post("/v1/verify", question, expecting: 200)
            try await memory.withAnswers(try memory.write("verdict", verdict)) { answers in
                // Both have their code and their keys in memory afterwards.
                for server in [memory, answers] {
                    _ = try await server.wrk(hot, connections: options.clients, seconds: options.seconds)
                }
                var rates: (memory: [Double], without: [Double], answers: [Double]) = ([], [], [])
                for _ in 0..<options.rounds {
                    rates.memory.append(
                        try await memory.wrk(hot, connections: options.clients, seconds: options.seconds)
                    )
                    rates.without.append(
                        try await installation.wrk(hot, connections: options.clients, seconds: options.seconds)
                    )
                    rates.answers.append(
                        try await answers.wrk(hot, connections: options.clients, seconds: options.seconds)
                    )
                }
                let rate = Report.median(rates.memory)
                let (without, answer) = (Report.median(rates.without), Report.median(rates.answers))
                Report.ratio(
                    "POST /v1/verify a second from memory, against the same without memory",
                    rate,
                    without,
                    goal: "at least 2x",
                    isMet: rate >= 2 * without
                )
                Report.ratio(
                    "POST /v1/verify a second from memory, against a handler that answers with the same bytes",
                    rate,
                    answer,
                    goal: "at least 0.75x",
                    isMet: rate >= 0.75 * answer
                )
            }
            // Long enough for each of the tokens, of which there are 100,000 if there are as many keys.
            _ = try await memory.wrk(every, connections: options.clients, seconds: 4 * options.seconds)
            let resident = try memory.residentMegabytes()
            Report.figure(
                "resident memory of `mortise serve` with \(tokens.split(separator: "\n").count) keys in memory",
                "\(resident) MB",
                goal: "at most 150 MB",
                isMet: resident <= 150
            )
        }
    }
}
