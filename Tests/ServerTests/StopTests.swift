import Fence
import JSON
import Logging
import Postgres
import Server
import ServerTestSupport
import Tenancy
import TestSupport
import Testing

/// Answers of the kill switch while somebody holds the row of a key, or a node is silent.
@Suite(.hangLimit) struct StopTests {
    private func withLockedKey(
        _ body: (ServerHarness, ServerHarness.IssuedKey, _ release: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withMortise { configuration in
            configuration.databases.stopDeadline = .seconds(3).onThisMachine
            configuration.databases.leaseDeadline = .seconds(3).onThisMachine
            configuration.databases.blockerPatience = .milliseconds(100)
        } _: { mortise in
            let key = try await mortise.makeKey()
            try await mortise.withConnection(try await mortise.workspaceDatabase()) { person in
                try await person.script(
                    """
                    SET application_name = 'psql'; BEGIN; SELECT id FROM auth.service_keys WHERE id = '\(key.id)' FOR UPDATE
                    """
                )
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
                // On a machine so busy that nobody could look for the blocker in time, the answer names no reason yet. It depends on the
                // time limit that passes first: the lock's or the change's.
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

    // The fault: one change waited for the row, the others for its connection, and those said that the database was unavailable. The log said
    // the same, as an error.
    @Test func `each of many changes that wait for one locked row says why, and the log has no error`() async throws {
        try await withLockedKey { mortise, key, release in
            let stop = ("POST", "\(key.path)/revoke", [:] as JSONValue)
            let change = ("PATCH", key.path, ["name": "another"] as JSONValue)
            var waiting = Array(repeating: stop, count: 4) + Array(repeating: change, count: 4)
            while !waiting.isEmpty {
                let answers = try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
                    for (index, (method, path, body)) in waiting.enumerated() {
                        group.addTask {
                            (index, try await mortise.api.send(method, path, body, as: mortise.adminToken))
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                // As above: on a busy machine an answer can name no reason yet.
                waiting = answers.filter { ["conflict", "workspace_unavailable"].contains($0.1.code) }
                    .map { waiting[$0.0] }
                for (_, answer) in answers where answer.code == "service_unavailable" {
                    #expect(answer["detail"]?.string?.contains("does not belong to Mortise") == true, "\(answer)")
                }
                let codes: Set<String?> = ["conflict", "workspace_unavailable", "service_unavailable"]
                #expect(answers.allSatisfy { codes.contains($0.1.code) }, "\(answers)")
            }
            #expect(!mortise.log.lines.contains { $0.level >= .error })
            try await release()
            #expect(try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken).status == 200)
        }
    }

    @Test func `a workspace whose row somebody else locks is not changed, and each answer says why`() async throws {
        try await withMortise { configuration in
            configuration.databases.stopDeadline = .seconds(3).onThisMachine
            configuration.provisioner.stopDeadline = .seconds(3).onThisMachine
            configuration.databases.blockerPatience = .milliseconds(100)
            configuration.provisioner.blockerPatience = .milliseconds(100)
        } _: { mortise in
            let shop = try await mortise.makeWorkspace("Shop")
            let path = "/v1/workspaces/\(shop)"
            let changes: [(before: String?, method: String, path: String, body: JSONValue?)] = [
                (nil, "PATCH", path, ["name": "Store"]), (nil, "POST", "\(path)/suspend", nil),
                (nil, "POST", "\(path)/archive", nil), ("suspend", "POST", "\(path)/resume", nil),
                ("archive", "POST", "\(path)/restore", nil), (nil, "DELETE", path, nil),
            ]
            for (before, method, path, body) in changes {
                if let before {
                    let answer = try await mortise.api.post("/v1/workspaces/\(shop)/\(before)", as: mortise.adminToken)
                    #expect(answer.status == 200, "\(answer)")
                }
                try await mortise.withConnection(mortise.installation.control) { person in
                    try await person.script(
                        """
                        SET application_name = 'psql'; BEGIN; SELECT FROM control.workspaces WHERE id = '\(shop)' FOR UPDATE
                        """
                    )
                    var answer = try await mortise.api.send(method, path, body, as: mortise.adminToken)
                    // As above: on a busy machine the answer can name no reason yet.
                    while answer.code == "conflict" || answer["detail"]?.string?.contains("Mortise") == false {
                        answer = try await mortise.api.send(method, path, body, as: mortise.adminToken)
                    }
                    #expect(answer.status == 503, "\(method) \(path): \(answer)")
                    #expect(answer["detail"]?.string?.contains("does not belong to Mortise") == true, "\(answer)")
                    #expect(person.isUsable)
                    try await person.script("COMMIT")
                }
            }
            #expect(!mortise.log.lines.contains { $0.level >= .error })
            #expect(try await mortise.api.send("DELETE", path, as: mortise.adminToken).status == 204)
        }
    }

    // The fault: the deadline of a stop began behind the reads that find the workspace, which had the time of any request. Here their connections
    // wait for a lock, as they would for a server that hangs.
    @Test func `the deadline of a stop covers the reads before it, and the answer says which database was late`()
        async throws
    {
        try await withMortise { configuration in
            configuration.databases.stopDeadline = .seconds(2).onThisMachine
        } _: { mortise in
            let (key, apiKey) = (try await mortise.makeKey(), try await mortise.makeAPIKey())
            let stops: [(method: String, path: String, body: JSONValue?)] = [
                ("POST", "\(key.path)/revoke", [:]), ("POST", "\(key.path)/disable", nil), ("DELETE", key.path, nil),
                ("POST", "\(ServerHarness.keys())/batch/disable", ["ids": [.string(key.id)]]),
                ("POST", "/v1/workspaces/default/suspend", nil), ("POST", "/v1/workspaces/default/archive", nil),
                ("POST", "/clerk/v1/api_keys/\(apiKey.id)/revoke", [:]),
                ("PATCH", "/api/v1/admin/service-keys/\(key.id)", ["enabled": false]),
            ]
            try await mortise.withConnection(mortise.installation.control) { person in
                try await person.script(
                    "BEGIN; LOCK TABLE control.organizations, control.workspaces IN ACCESS EXCLUSIVE MODE"
                )
                let requests = stops.map { stop in
                    Task { try await mortise.api.send(stop.method, stop.path, stop.body, as: mortise.adminToken) }
                }
                var details: [String] = []
                for request in requests {
                    let answer = try await request.value
                    #expect(answer.status == 503, "\(answer)")
                    #expect(answer.headers["retry-after"] != nil, "\(answer)")
                    details.append(answer["detail"]?.string ?? "")
                }
                // Clerk's and Fluxbase's errors have no such member.
                let sentence = "organizations and workspaces did not answer"
                #expect(details.prefix(6).allSatisfy { $0.contains(sentence) }, "\(details)")
                try await person.script("COMMIT")
            }
            #expect(try await mortise.verdict(key.token) == "valid")
            try await eventually("the key is revoked") {
                try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken).status == 200
            }
            #expect(try await mortise.verdict(key.token) == "revoked")
        }
    }

    // MARK: Silent nodes

    /// A node that has a lease and acknowledges nothing, as after `kill -9`.
    private struct SilentNode: Sendable {
        private static let id = "00000000-0000-4000-8000-00000000dead"
        let mortise: ServerHarness

        private var cluster: PostgresConfiguration {
            let installation = mortise.installation
            return installation.server.configuration(database: installation.installation.clusterDatabase)
        }

        func appear() async throws {
            try await mortise.script(cluster, "INSERT INTO fence.leases (node_id, raised) VALUES ('\(Self.id)', '{}')")
        }

        func end() async throws {
            try await mortise.script(cluster, "DELETE FROM fence.leases WHERE node_id = '\(Self.id)'")
        }

        func waitForFences(_ count: Int) async throws {
            try await eventually("\(count) changes have raised their fences and wait") {
                try await mortise.rows(cluster, "SELECT 1 FROM fence.fences").count == count
            }
        }
    }

    /// Runs `body` with a node that can be silent for as long as it likes, and some keys.
    private func withSilentNode(
        _ configure: (inout DatabasesOptions) -> Void,
        _ body: (ServerHarness, SilentNode, [ServerHarness.IssuedKey]) async throws -> Void
    ) async throws {
        try await withMortise { configuration in
            configure(&configuration.databases)
            configuration.databases.fenceTimes = FenceTimes(trust: .seconds(600))
        } _: { mortise in
            var keys: [ServerHarness.IssuedKey] = []
            for name in ["a", "b", "c"] { keys.append(try await mortise.makeKey(name)) }
            let node = SilentNode(mortise: mortise)
            try await node.appear()
            try await body(mortise, node, keys)
        }
    }

    // The fault: each revocation kept one of the few connections for as long as it waited for the node, and further ones were answered with
    // 503.
    @Test func `revocations that wait for a silent node wait together, over no connection to their keys`() async throws
    {
        try await withSilentNode {
            $0.maximumStoppedDatabases = 1
        } _: { mortise, node, keys in
            let revocations = keys.map { key in
                Task { try await mortise.api.post("\(key.path)/revoke", [:], as: mortise.adminToken).status }
            }
            try await node.waitForFences(keys.count)
            try await node.end()
            for revocation in revocations {
                let status = try await revocation.value
                #expect(status == 200)
            }
            for key in keys { #expect(try await mortise.verdict(key.token) == "revoked") }
        }
    }

    // The fault: the changes of a workspace kept all of its connections while they waited, and its keys could not be listed.
    @Test func `changes that wait for a silent node hold up no list, and only as many as there are places`()
        async throws
    {
        try await withSilentNode {
            $0.maximumManagedDatabases = 1
            $0.connectionsPerManagedDatabase = 2
        } _: { mortise, node, keys in
            let changes = keys.map { key in
                Task {
                    try await mortise.api.send("PATCH", key.path, ["name": .string(key.id)], as: mortise.adminToken)
                        .status
                }
            }
            try await node.waitForFences(2)
            let list = try await mortise.api.get(ServerHarness.keys(), as: mortise.adminToken)
            #expect(list.status == 200)
            try await node.end()
            for change in changes {
                let status = try await change.value
                #expect(status == 200)
            }
        }
    }
}
