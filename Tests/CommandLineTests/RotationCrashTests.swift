import JSON
import Locks
import TestSupport
import Testing

/// Kills the server while it rotates keys.
@Suite(.hangLimit(.seconds(600))) struct RotationCrashTests {
    private static let moments: [Moment] = [
        .blocked(by: "SELECT 1 FROM auth.service_keys FOR UPDATE"),
        .answers(1),
        // The old secret has an end and the new secret exists, but the event does not.
        .blocked(by: "LOCK TABLE auth.key_events IN SHARE MODE"),
        .sight("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"),
        .answers(9),
        .answers(30),
    ]

    /// A key: its tokens in the order of their answers, and the Idempotency-Key of the rotation without an answer.
    private struct KeyHistory: Sendable {
        let path: String
        var tokens: [String]
        var unanswered: String?
    }

    @Test func `after a crash, every key has consistent secrets, and every answer is still true`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let keys = Locked(try await Self.createKeys(4, installation))
            let database = try #require(try await installation.workspaceDatabases().first)
            for (round, moment) in Self.moments.enumerated() {
                try await installation.crash(at: moment, in: database, workers: 4) { worker, port, tally in
                    for number in 0..<500 {
                        let path = keys.withLock { $0[worker].path }
                        let key = "r-\(round)-\(worker)-\(number)"
                        let answer: ProcessInstallation.Answer
                        do {
                            answer = try await installation.call("POST", "\(path)/rotate", port: port, key: key)
                        } catch {
                            keys.withLock { $0[worker].unanswered = key }
                            return
                        }
                        let token = try #require(answer.body["token"]?.string, "\(answer)")
                        keys.withLock { $0[worker].tokens.append(token) }
                        tally.add()
                    }
                }
                try await installation.serve { program in
                    let port = try await program.port()
                    for (worker, history) in keys.withLock({ $0 }).enumerated() {
                        let tokens = try await Self.repeatRotation(of: history, installation, port)
                        keys.withLock { $0[worker].tokens += tokens }
                    }
                }
                try await Self.expectConsistentSecrets(installation, database)
            }
            try await installation.serve { program in
                _ = try await program.port()
                try await installation.expectWhole()
                try await installation.expectHealthy()
            }
        }
    }

    private static func createKeys(_ count: Int, _ installation: ProcessInstallation) async throws -> [KeyHistory] {
        try await installation.serve { program in
            let port = try await program.port()
            let list = "/v1/workspaces/default/service-keys"
            var keys: [KeyHistory] = []
            for number in 0..<count {
                let made = try await installation.call("POST", list, ["name": .string("key \(number)")], port: port)
                let id = try #require(made.body["key"]?["id"]?.string, "\(made)")
                let token = try #require(made.body["token"]?.string)
                keys.append(KeyHistory(path: "\(list)/\(id)", tokens: [token]))
            }
            return keys
        }
    }

    /// Repeats the rotation that had no answer, twice.
    ///
    /// - Returns: The token of that rotation. Empty if every rotation had an answer.
    private static func repeatRotation(
        of history: KeyHistory,
        _ installation: ProcessInstallation,
        _ port: Int
    ) async throws -> [String] {
        // The last answered token works, even if the next rotation was committed.
        let last = try #require(history.tokens.last)
        #expect(try await installation.verdict(last, port: port) == "valid")
        guard let key = history.unanswered else { return [] }
        let first = try await installation.call("POST", "\(history.path)/rotate", port: port, key: key)
        let token = try #require(first.body["token"]?.string, "\(first)")
        let second = try await installation.call("POST", "\(history.path)/rotate", port: port, key: key)
        #expect(second.body["token"]?.string == token)
        #expect(try await installation.verdict(token, port: port) == "valid")
        #expect(try await installation.verdict(last, port: port) == "valid")
        let shown = try await installation.call("GET", history.path, port: port).body
        #expect(shown["prefix"]?.string == String(token.prefix(16)))
        #expect(shown["secrets"]?.array?.count == 2)
        return [token]
    }

    /// Checks that every key has one secret without an end, at most one other working secret, and an event per
    /// rotation.
    private static func expectConsistentSecrets(_ installation: ProcessInstallation, _ database: String) async throws {
        let broken = try await installation.texts(
            """
            SELECT k.name FROM auth.service_keys k CROSS JOIN LATERAL (
                SELECT count(*) AS secrets, count(*) FILTER (WHERE ends_at IS NULL AND ended_at IS NULL) AS endless,
                    count(*) FILTER (WHERE ended_at IS NULL) AS working
                FROM auth.key_secrets s WHERE s.key_id = k.id
            ) s
            WHERE endless <> 1 OR working > 2 OR secrets <> 1 + (
                SELECT count(*) FROM auth.key_events e WHERE e.key_id = k.id AND e.type = 'rotated'
            )
            """,
            in: database
        )
        #expect(broken == [])
    }
}
