import JSON
import Keys
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// A repeated request with the same `Idempotency-Key` gets the same answer and token, and the token is stored nowhere.
@Suite(.hangLimit) struct IdempotencyTests {
    @Test func `a repeated creation returns the same key and token and creates one key`() async throws {
        try await withMortise { mortise in
            let (api, admin, path) = (mortise.api, mortise.adminToken, ServerHarness.keys())
            let body: JSONValue = ["name": "once", "scopes": ["read:*"], "metadata": ["z": 1, "a": [2, nil]]]
            let first = try await api.post(path, body, as: admin, key: "one")
            let second = try await api.post(path, body, as: admin, key: "one")
            #expect(first.status == 201 && second.status == 201)
            #expect(try first.string("token") == second.string("token"))
            #expect(try first.string("key", "id") == second.string("key", "id"))
            #expect(first.headers["idempotent-replayed"] == nil)
            #expect(second.headers["idempotent-replayed"] == "true")
            #expect(try await api.get(path, as: admin)["data"]?.array?.count == 1)
            #expect(try await mortise.verdict(try second.string("token")) == "valid")

            // The slug and the id name the same workspace, so this is the same request.
            let id = try await api.get("/v1/workspaces/default", as: admin).string("id")
            #expect(
                try await api.post(ServerHarness.keys(id), body, as: admin, key: "one").string("token")
                    == first.string("token")
            )

            let other = try await api.post(path, ["name": "another"], as: admin, key: "one")
            #expect(other.status == 422)
            #expect(other.code == "unprocessable")

            // The same Idempotency-Key from another caller belongs to another request.
            let stranger = try await mortise.makeAdmin(["keys:read", "keys:write"])
            let theirs = try await api.post(path, ["name": "theirs"], as: stranger.token, key: "one")
            #expect(theirs.status == 201)
            #expect(try theirs.string("token") != first.string("token"))
        }
    }

    @Test func `concurrent requests with the same Idempotency-Key create one key and return one token`() async throws {
        try await withMortise { mortise in
            let (api, admin, path) = (mortise.api, mortise.adminToken, ServerHarness.keys())
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await api.post(path, ["name": "once"], as: admin, key: "same") }
                }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 201 || $0.status == 409 }, "\(answers)")
            let tokens = Set(answers.filter { $0.status == 201 }.compactMap { $0["token"]?.string })
            #expect(tokens.count == 1)
            #expect(try await api.get(path, as: admin)["data"]?.array?.count == 1)
        }
    }

    @Test func `a repeated rotation rotates once`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            let first = try await mortise.api.post("\(key.path)/rotate", as: mortise.adminToken, key: "r")
            let second = try await mortise.api.post("\(key.path)/rotate", as: mortise.adminToken, key: "r")
            #expect(try first.string("token") == second.string("token"))
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await mortise.api.get(key.path, as: mortise.adminToken)["secrets"]?.array?.count == 2)
        }
    }

    @Test func `a repeated creation of an organization or a workspace creates one`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let first = try await api.post("/v1/organizations", ["name": "Acme"], as: mortise.operatorToken, key: "o")
            let second = try await api.post("/v1/organizations", ["name": "Acme"], as: mortise.operatorToken, key: "o")
            #expect(first.status == 201 && second.status == 201)
            #expect(try first.string("token") == second.string("token"))
            #expect(try first.string("organization", "id") == second.string("organization", "id"))
            let token = try first.string("token")
            let id = try first.string("organization", "id")
            let one = try await api.post("/v1/organizations/acme/workspaces", ["name": "Shop"], as: token, key: "w")
            let two = try await api.post("/v1/organizations/\(id)/workspaces", ["name": "Shop"], as: token, key: "w")
            #expect(one.status == 201)
            #expect(one.json["id"] == two.json["id"])
            #expect(two.headers["idempotent-replayed"] == "true")
            #expect(try await api.get("/v1/workspaces", as: token)["data"]?.array?.count == 2)
        }
    }

    @Test func `a repeated creation gets the first answer after the key has expired`() async throws {
        try await withMortise { mortise in
            let (api, admin, path) = (mortise.api, mortise.adminToken, ServerHarness.keys())
            var (body, end, first): (JSONValue, JSONValue, Answer?) = ([:], nil, nil)
            // On a busy machine the key can expire before it is created.
            for seconds: Int64 in [3, 30, 300] where first?.status != 201 {
                let now = try await mortise.rows(
                    mortise.installation.control,
                    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
                )
                let soon = try #require(try now.first?.decode(0, as: Int64.self)) + seconds * 1_000_000
                end = .string(Timestamp(microsecondsSinceUnixEpoch: soon).rfc3339)
                body = ["name": "brief", "expires_at": end]
                first = try await api.post(path, body, as: admin, key: "brief")
            }
            let created = try #require(first)
            try #require(created.status == 201, "\(created)")
            let token = try created.string("token")
            try await eventually("the key ends", within: .ample) { try await mortise.verdict(token) == "expired" }
            // The node's clock can be some milliseconds ahead of the database's.
            let past = try #require(end.string)
            try await eventually("the end is in the past by the clock of the database") {
                let found = try await mortise.rows(
                    mortise.installation.control,
                    "SELECT 1 WHERE clock_timestamp() > '\(past)'"
                )
                return !found.isEmpty
            }

            let second = try await api.post(path, body, as: admin, key: "brief")
            #expect(second.status == 201, "\(second)")
            #expect(try second.string("token") == token)
            #expect(second["key", "id"] == created["key", "id"])
            #expect(second["key", "status"] == "active", "the answer is that of then")
            #expect(second.headers["idempotent-replayed"] == "true")

            // A new request with an end in the past is invalid.
            for key in [nil, "late"] {
                let late = try await api.post(path, ["name": "late", "expires_at": end], as: admin, key: key)
                #expect(late.status == 400, "\(late)")
                #expect(late.pointers == ["/expires_at"])
            }
            let faulty = try await api.post(path, ["name": "", "expires_at": end], as: admin, key: "late")
            // The database's clock finds the end in the past, after the form of the request was checked without a clock.
            #expect(faulty.pointers == ["/name"])
            let other = try await api.post(path, ["name": "other", "expires_at": end], as: admin, key: "brief")
            #expect(other.status == 422)
            #expect(try await api.get(path, as: admin)["data"]?.array?.count == 1)
        }
    }

    @Test func `a failed request is not stored, and a deleted key is not returned again`() async throws {
        try await withMortise { mortise in
            let (api, admin, path) = (mortise.api, mortise.adminToken, ServerHarness.keys())
            let taken = try await mortise.makeKey("taken")
            #expect(try await api.post(path, ["name": "taken"], as: admin, key: "f").status == 409)
            _ = try await api.send("DELETE", taken.path, as: admin)
            let made = try await api.post(path, ["name": "taken"], as: admin, key: "f")
            #expect(made.status == 201)
            _ = try await api.send("DELETE", "\(path)/\(try made.string("key", "id"))", as: admin)
            #expect(try await api.post(path, ["name": "taken"], as: admin, key: "f").status == 409)
        }
    }

    // The attack: somebody reads every table of both databases.
    @Test func `the databases contain no token in any row`() async throws {
        try await withMortise { mortise in
            let first = try await mortise.api.post(
                ServerHarness.keys(),
                ["name": "a"],
                as: mortise.adminToken,
                key: "scan"
            )
            _ = try await mortise.api.post(ServerHarness.keys(), ["name": "a"], as: mortise.adminToken, key: "scan")
            let key = try first.string("key", "id")
            let rotated = try await mortise.api.post(
                "\(ServerHarness.keys())/\(key)/rotate",
                as: mortise.adminToken,
                key: "scan-r"
            )
            let acme = try await mortise.makeOrganization("Acme")
            let tokens = [
                try first.string("token"), try rotated.string("token"), acme.token, mortise.adminToken,
                mortise.operatorToken,
            ]
            for database in [mortise.installation.control, try await mortise.workspaceDatabase()] {
                let text = try await everything(mortise, database)
                #expect(text.contains("key_secrets"))
                for token in tokens {
                    // The display prefix of a token may appear. The rest of the token must not.
                    let body = String(token.dropFirst(16).prefix(16))
                    #expect(!text.contains(body))
                    #expect(!text.contains(Array(body.utf8).map { String($0, radix: 16) }.joined()))
                }
                #expect(!text.contains("scan-r"))
            }
        }
    }

    /// Returns all rows of all tables as text.
    private func everything(_ mortise: ServerHarness, _ database: PostgresConfiguration) async throws -> String {
        let tables = try await mortise.rows(
            database,
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        var text = ""
        for table in tables {
            let name: String = try table.decode(0)
            text += name
            for row in try await mortise.rows(database, "SELECT t::text FROM \(name) t") {
                text += try row.decode(0, as: String.self)
            }
        }
        return text
    }
}
