import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// Changes that are under way when the credential that began them ends.
@Suite(.hangLimit) struct CallerEndTests {
    /// Runs a request that waits for a lock, and then another one, which must wait for the first.
    ///
    /// - Returns: The answers.
    private func during(
        _ mortise: ServerHarness,
        _ first: @escaping @Sendable () async throws -> Answer,
        then second: @escaping @Sendable () async throws -> Answer
    ) async throws -> (Answer, Answer) {
        let control = mortise.installation.control
        return try await mortise.withConnection(control) { blocker in
            try await blocker.script("BEGIN; SELECT FROM control.organizations FOR UPDATE")
            let process = try await blocker.query(Statement("SELECT pg_backend_pid()", prepared: false)).first
            let blockerID: Int32 = try #require(process).decode(0)
            async let one = first()
            try await eventually("the first request waits") {
                try await !mortise.rows(control, Self.blocked(by: "\(blockerID) = ANY (pg_blocking_pids(pid))")).isEmpty
            }
            async let two = second()
            try await eventually("the second request waits for the first") {
                let others = "pg_blocking_pids(pid) <> '{}' AND NOT \(blockerID) = ANY (pg_blocking_pids(pid))"
                return try await !mortise.rows(control, Self.blocked(by: others)).isEmpty
            }
            try await blocker.script("COMMIT")
            return try await (one, two)
        }
    }

    private static func blocked(by condition: String) -> String {
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND \(condition)"
    }

    // The attack: a thief of an admin key asks for another one, and the request ends after the revocation was answered.
    @Test func `a revocation waits for what the key has begun`() async throws {
        try await withMortise { mortise in
            let stolen = try await mortise.makeAdmin(["keys:read", "keys:write"])
            let (made, revoked) = try await during(mortise) {
                try await mortise.api.post(
                    "/v1/organizations/default/admin-keys",
                    ["name": "another", "permissions": ["keys:read"]],
                    as: stolen.token
                )
            } then: {
                try await mortise.api.post("\(stolen.path)/revoke", [:], as: mortise.adminToken)
            }
            #expect(made.status == 201, "\(made)")
            #expect(revoked.status == 200, "\(revoked)")
        }
    }

    // The attack: somebody who is dismissed makes an admin key at that moment.
    @Test func `the removal of a member waits for what the member has begun`() async throws {
        try await withMortise { mortise in
            let member = try await mortise.addMember("m@example.org", "admin")
            let session = try await mortise.signIn("m@example.org").access
            let (made, removed) = try await during(mortise) {
                try await mortise.api.post(
                    "/v1/organizations/default/admin-keys",
                    ["name": "another", "permissions": ["keys:read"]],
                    as: session
                )
            } then: {
                try await mortise.api.send("DELETE", member.path, as: mortise.adminToken)
            }
            #expect(made.status == 201, "\(made)")
            #expect(removed.status == 204, "\(removed)")
        }
    }

    // A thief who has an admin key removes the administrator who revokes it. Each waits for the other if they lock in different orders, and
    // PostgreSQL then ends one of them.
    @Test func `a member and a key that end each other at once never wait for each other`() async throws {
        try await withMortise { mortise in
            for number in 0..<10 {
                let key = try await mortise.makeAdmin(["keys:read", "keys:write", "members:write"])
                let member = try await mortise.addMember("m\(number)@example.org", "auditor")
                let manager = try await mortise.addMember("n\(number)@example.org", "admin")
                let session = try await mortise.signIn("n\(number)@example.org").access
                async let revoked = mortise.api.post("\(key.path)/revoke", [:], as: session)
                async let removed = mortise.api.send("DELETE", member.path, as: key.token)
                async let ended = mortise.api.send("DELETE", manager.path, as: mortise.adminToken)
                let statuses = try await [revoked.status, removed.status, ended.status]
                #expect(!statuses.contains { $0 >= 500 }, "\(statuses)")
                #expect(statuses[2] == 204)
                // The name of the next key is the same.
                _ = try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken)
            }
        }
    }
}
