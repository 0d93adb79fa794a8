import Foundation
import Logging
import Postgres

/// `POST /v1/verify` with keys of one workspace, of 80 and of a thousand, each of which has a look-up connection, and from memory with keys
/// of a thousand workspaces, of which some are in use far more often than others.
enum ManyWorkspaces {
    /// The workspaces that are created at once, as many as the server works on.
    private static let concurrency = 4

    static func measure(_ installation: Installation, _ options: BenchOptions) async throws {
        let start = ContinuousClock.now
        let tokens = try await tokens(installation, options.workspaces)
        Report.line("\(tokens.count) workspaces with a key each in \(ContinuousClock.now - start)")
        let some = min(80, tokens.count)
        let one = try installation.write(
            "one.lua",
            Verifications.script(installation, tokens: installation.tokensFile)
        )
        let few = try script(installation, "some", Array(tokens[..<some]))
        let all = try script(installation, "all", tokens)
        try await open(installation, tokens)
        var rates: (one: [Double], few: [Double], all: [Double]) = ([], [], [])
        for _ in 0..<options.rounds {
            rates.one.append(try await installation.wrk(one, connections: options.clients, seconds: options.seconds))
            rates.few.append(try await installation.wrk(few, connections: options.clients, seconds: options.seconds))
            rates.all.append(try await installation.wrk(all, connections: options.clients, seconds: options.seconds))
        }
        let yardstick = Report.median(rates.one)
        report(some, Report.median(rates.few), yardstick, goal: 0.7)
        report(tokens.count, Report.median(rates.all), yardstick, goal: 0.5)
        let busy = try installation.write(
            "busy.lua",
            Verifications.script(installation, tokens: "\(installation.folder)/all.tokens", choice: .zipf)
        )
        let single = try installation.write(
            "single.lua",
            Verifications.script(installation, tokens: installation.tokensFile, first: tokens.count, choice: .zipf)
        )
        // Before the second server, whose connections are still ending when it has stopped.
        let connections = try await connections(installation)
        try await installation.withMemory { memory in
            try await open(memory, tokens)
            var rates: (single: [Double], busy: [Double]) = ([], [])
            for script in [single, busy] {
                _ = try await memory.wrk(script, connections: options.clients, seconds: options.seconds)
            }
            for _ in 0..<options.rounds {
                rates.single.append(
                    try await memory.wrk(single, connections: options.clients, seconds: options.seconds)
                )
                rates.busy.append(try await memory.wrk(busy, connections: options.clients, seconds: options.seconds))
            }
            Report.ratio(
                "POST /v1/verify a second from memory over \(tokens.count) workspaces (Zipf), against one workspace",
                Report.median(rates.busy),
                Report.median(rates.single),
                goal: "at least 0.8x",
                isMet: Report.median(rates.busy) >= 0.8 * Report.median(rates.single)
            )
        }
        // Beside look-ups there are at most 42 connections and one for each thread.
        let bound = min(1000, options.workspaces) + 42 + 4
        Report.figure(
            "connections of `mortise serve` afterwards",
            "\(connections)",
            goal: "at most \(bound)",
            isMet: connections <= bound
        )
    }

    /// Verifies each token once, so that each workspace has its connection.
    ///
    /// The first session of a new database takes PostgreSQL far longer than a later one, because it writes the file with the database's
    /// catalog (`pg_internal.init`).
    private static func open(_ installation: Installation, _ tokens: [String]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, token) in tokens.enumerated() {
                if number >= concurrency { try await group.next() }
                group.addTask {
                    _ = try await installation.post("/v1/verify", #"{"token":"\#(token)"}"#, expecting: 200)
                }
            }
            try await group.waitForAll()
        }
    }

    private static func report(_ workspaces: Int, _ rate: Double, _ yardstick: Double, goal: Double) {
        Report.ratio(
            "POST /v1/verify a second over \(workspaces) workspaces, against one workspace",
            rate,
            yardstick,
            goal: "at least \(goal)x",
            isMet: rate >= goal * yardstick
        )
    }

    private static func script(_ installation: Installation, _ name: String, _ tokens: [String]) throws -> String {
        let file = try installation.write("\(name).tokens", tokens.joined(separator: "\n"))
        return try installation.write("\(name).lua", Verifications.script(installation, tokens: file))
    }

    /// Creates workspaces with a key each, and returns the keys' tokens.
    private static func tokens(_ installation: Installation, _ count: Int) async throws -> [String] {
        try await withThrowingTaskGroup(of: String.self) { group in
            var tokens: [String] = []
            for number in 0..<count {
                if number >= concurrency, let token = try await group.next() { tokens.append(token) }
                group.addTask { try await token(installation, "many-\(number)") }
            }
            for try await token in group { tokens.append(token) }
            return tokens
        }
    }

    private static func token(_ installation: Installation, _ slug: String) async throws -> String {
        _ = try await installation.post(
            "/v1/organizations/\(installation.organizationID)/workspaces",
            #"{"name":"\#(slug)","slug":"\#(slug)"}"#
        )
        let key = try await installation.post("/v1/workspaces/\(slug)/service-keys", #"{"name":"bench"}"#)
        guard let answer = try JSONSerialization.jsonObject(with: Data(key.utf8)) as? [String: Any],
            let token = answer["token"] as? String
        else { throw BenchError.failed("a new key has no token") }
        return token
    }

    private static func connections(_ installation: Installation) async throws -> Int {
        let reactor = try Reactor(name: "bench-count")
        let connection = try await PostgresConnection.connect(
            try PostgresConfiguration(installation.maintenanceConnection),
            reactor: reactor,
            logger: Logger(label: "bench")
        )
        let rows = try await connection.query(
            Statement("SELECT count(*) FROM pg_stat_activity WHERE usename = 'mortise_runtime'", prepared: false)
        )
        let count: Int = try rows[0].decode(0)
        await connection.close()
        await reactor.shutdown()
        return count
    }
}
