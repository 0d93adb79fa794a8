import JSON
import Postgres
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

/// Answers of the kill switch while somebody holds the row of a key.
@Suite(.hangLimit) struct StopTests {
    private func withLockedKey(
        _ body: (ServerHarness, ServerHarness.IssuedKey, _ release: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withMortise { configuration in
            configuration.databases.stopDeadline = .seconds(3).onThisMachine
            configuration.databases.blockerPatience = .milliseconds(100)
        } _: { mortise in
            let key = try await mortise.makeKey()
            try await mortise.withConnection(try await mortise.workspaceDatabase()) { person in
                try await person.script("BEGIN; SELECT id FROM auth.service_keys WHERE id = '\(key.id)' FOR UPDATE")
                try await body(mortise, key) { try await person.script("COMMIT") }
            }
        }
    }

    @Test func `a key that somebody else locks is not stopped, and each answer says why`() async throws {
        try await withLockedKey { mortise, key, release in
            let stops: [(method: String, path: String, body: JSONValue?)] = [
                ("POST", "\(key.path)/revoke", [:]), ("POST", "\(key.path)/disable", nil),
                ("DELETE", key.path, nil),
            ]
            for (method, path, body) in stops {
                var answer = try await mortise.api.send(method, path, body, as: mortise.adminToken)
                // On a machine so busy that nobody could look for the blocker in time, the answer names no reason yet. It depends on the time limit
                // that passes first: the lock's or the change's.
                while ["conflict", "workspace_unavailable"].contains(answer.code) {
                    answer = try await mortise.api.send(method, path, body, as: mortise.adminToken)
                }
                #expect(answer.status == 503, "\(method) \(path): \(answer)")
                #expect(answer.headers["retry-after"] != nil)
                #expect(answer["detail"]?.string?.contains("does not belong to Mortise") == true, "\(answer)")
                #expect(answer["detail"]?.string?.contains("Idempotency-Key") == false)
            }
            #expect(mortise.log.lines.contains { $0.message == "a session of somebody else blocks a change" })
            try await release()
            #expect(try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken).status == 200)
            #expect(try await mortise.verdict(key.token) == "revoked")
        }
    }

    // The accident: of many keys one cannot be changed, and the others are stopped without anybody being told.
    @Test func `several keys of which somebody else locks one are not stopped, and the answer says why`() async throws {
        try await withLockedKey { mortise, locked, release in
            let free = try await mortise.makeKey("free")
            let body: JSONValue = ["ids": [.string(free.id), .string(locked.id)]]
            let path = "\(ServerHarness.keys())/batch/revoke"
            var answer = try await mortise.api.post(path, body, as: mortise.adminToken)
            // As above: on a busy machine the answer can name no reason yet.
            while ["conflict", "workspace_unavailable"].contains(answer.code) {
                answer = try await mortise.api.post(path, body, as: mortise.adminToken)
            }
            #expect(answer.status == 503, "\(answer)")
            #expect(answer["detail"]?.string?.contains("does not belong to Mortise") == true, "\(answer)")
            #expect(try await mortise.verdict(free.token) == "valid")
            try await release()
            #expect(try await mortise.api.post(path, body, as: mortise.adminToken).status == 200)
            for key in [free, locked] { #expect(try await mortise.verdict(key.token) == "revoked") }
        }
    }
}
