import JSON
import KeyStore
import Postgres
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Lists of keys in every order, and of the keys that nobody uses or that end soon.
@Suite(.hangLimit) struct KeySortTests {
    private static let sorts = [
        "name", "-name", "created_at", "-created_at", "expires_at", "-expires_at", "last_used_at", "-last_used_at",
    ]

    /// Returns the names of the keys of a list, which is read in pages.
    private func names(
        _ mortise: ServerHarness,
        _ query: String,
        limit: Int = 100,
        at path: String = ServerHarness.keys(),
        as token: String? = nil
    ) async throws -> [String] {
        var names: [String] = []
        var cursor = ""
        repeat {
            let target = "\(path)?\(query)&limit=\(limit)\(cursor)"
            let answer = try await mortise.api.get(target, as: token ?? mortise.adminToken)
            try #require(answer.status == 200, "\(answer)")
            names += (answer["data"]?.array ?? []).compactMap { $0["name"]?.string }
            cursor = answer["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty
        return names
    }

    /// Makes a key, and a use of each of its secrets.
    private func makeKey(
        _ mortise: ServerHarness,
        _ name: String,
        end: String? = nil,
        use: String? = nil,
        created: String? = nil
    ) async throws -> ServerHarness.IssuedKey {
        var settings = JSONObject()
        if let end { settings["expires_at"] = .string(end) }
        let key = try await mortise.makeKey(name, .object(settings))
        if let use { try await self.use(mortise, key, at: use) }
        if let created {
            try await mortise.inWorkspace(
                "UPDATE auth.service_keys SET created_at = '\(created)' WHERE id = '\(key.id)'"
            )
        }
        return key
    }

    private func use(_ mortise: ServerHarness, _ key: ServerHarness.IssuedKey, at time: String) async throws {
        try await mortise.inWorkspace(
            """
            INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
            SELECT id, key_id, '\(time)' FROM auth.key_secrets WHERE key_id = '\(key.id)'
            """
        )
    }

    // MARK: Orders

    /// Makes keys with equal names, times of creation, ends and last uses, and keys without an end or a use.
    private func makeKeys(_ mortise: ServerHarness) async throws {
        let year = "2099-01-01T00:00:00Z"
        let first = "2024-01-01T00:00:00Z"
        _ = try await makeKey(mortise, "alpha", end: "2099-03-01T00:00:00Z", created: first)
        let rotated = try await makeKey(mortise, "ALPHA", created: first)
        _ = try await mortise.api.post("\(rotated.path)/rotate", as: mortise.adminToken)
        try await use(mortise, rotated, at: "2025-01-02T10:00:00Z")
        _ = try await makeKey(mortise, "Beta", end: year, use: "2025-01-01T10:00:30.5Z", created: first)
        _ = try await makeKey(mortise, "beta", end: year, use: "2025-01-01T10:00:30.5Z")
        _ = try await makeKey(mortise, "gamma")
        _ = try await makeKey(mortise, "delta", end: "2099-02-01T00:00:00Z", use: "2025-01-01T10:00:45Z")
        _ = try await makeKey(mortise, "Epsilon")
        _ = try await makeKey(mortise, "zeta", end: year, use: "2025-01-01T10:00:15Z")
    }

    @Test func `pages of every size are the whole list, in every order and its reverse`() async throws {
        try await withMortise { mortise in
            try await makeKeys(mortise)
            var lists: [String: [String]] = [:]
            for sort in Self.sorts {
                let whole = try await names(mortise, "sort=\(sort)")
                #expect(whole.count == 8 && Set(whole).count == 8, "\(sort): \(whole)")
                for limit in [1, 2, 3, 7] {
                    let pages = try await names(mortise, "sort=\(sort)", limit: limit)
                    #expect(pages == whole, "\(sort) in pages of \(limit)")
                }
                lists[sort] = whole
            }
            for sort in Self.sorts where !sort.hasPrefix("-") {
                let forward = try #require(lists[sort])
                #expect(lists["-\(sort)"] == Array(forward.reversed()), "\(sort)")
            }
            let plain = try await names(mortise, "query=a")
            #expect(plain == lists["-created_at"]?.filter { $0.lowercased().contains("a") })
            let byName = try #require(lists["name"]).map { $0.lowercased() }
            #expect(byName == ["alpha", "alpha", "beta", "beta", "delta", "epsilon", "gamma", "zeta"])
            let byEnd = try #require(lists["expires_at"])
            #expect(Set(byEnd.prefix(3)) == ["Beta", "beta", "zeta"] && byEnd[3...4] == ["delta", "alpha"])
            let byUse = try #require(lists["last_used_at"])
            #expect(Set(byUse.prefix(3)) == ["alpha", "gamma", "Epsilon"] && byUse[3] == "zeta")
            #expect(Set(byUse[4...5]) == ["Beta", "beta"] && byUse[6...] == ["delta", "ALPHA"])
        }
    }

    @Test func `a position stays when its key is deleted and other keys appear`() async throws {
        try await withMortise { mortise in
            var keys: [String: ServerHarness.IssuedKey] = [:]
            func make(_ names: [String]) async throws {
                for name in names { keys[name] = try await mortise.makeKey(name) }
            }
            try await make(["b", "d", "f"])
            let forward = try await continued(mortise, "name", ["b", "d"]) {
                try await delete(mortise, keys["d"])
                try await make(["c", "e"])
            }
            #expect(forward == ["e", "f"])
            let backward = try await continued(mortise, "-name", ["f", "e"]) {
                try await delete(mortise, keys["e"])
                try await make(["d", "g"])
            }
            #expect(backward == ["d", "c", "b"])
        }
    }

    private func delete(_ mortise: ServerHarness, _ key: ServerHarness.IssuedKey?) async throws {
        let path = try #require(key).path
        let answer = try await mortise.api.send("DELETE", path, as: mortise.adminToken)
        #expect(answer.status == 204, "\(answer)")
    }

    /// Reads a page of two keys, makes a change, and returns the names on the next page.
    private func continued(
        _ mortise: ServerHarness,
        _ sort: String,
        _ first: [String],
        _ change: () async throws -> Void
    ) async throws -> [String] {
        let path = "\(ServerHarness.keys())?sort=\(sort)"
        let page = try await mortise.api.get("\(path)&limit=2", as: mortise.adminToken)
        #expect(page["data"]?.array?.compactMap { $0["name"]?.string } == first)
        try await change()
        let cursor = try page.string("next_cursor")
        let next = try await mortise.api.get("\(path)&cursor=\(cursor)", as: mortise.adminToken)
        return (next["data"]?.array ?? []).compactMap { $0["name"]?.string }
    }

    // The attack: a member gives a key a name so long that its list cannot be read to the end.
    @Test func `a list of keys with the longest names can be read to its end`() async throws {
        try await withMortise { mortise in
            let long = String(repeating: "\u{1F511}", count: 254)
            let made = ["a", "b", "c"].map { long + $0 }
            for name in made { _ = try await mortise.makeKey(name) }
            #expect(try await names(mortise, "sort=name", limit: 1) == made)
            #expect(try await names(mortise, "sort=-name", limit: 1) == Array(made.reversed()))
        }
    }

    // MARK: Filters

    @Test func `a list of the keys that were not used since a time has no younger key and none with a use`()
        async throws
    {
        try await withMortise { mortise in
            let created = "2024-01-01T00:00:00Z"
            _ = try await makeKey(mortise, "used", use: "2025-06-01T00:00:00Z", created: created)
            _ = try await makeKey(mortise, "idle", use: "2025-01-01T00:00:00Z", created: created)
            _ = try await makeKey(mortise, "never", created: created)
            _ = try await makeKey(mortise, "new")
            // Of a key with two secrets, the last use counts.
            let rotated = try await makeKey(mortise, "rotated", use: "2024-06-01T00:00:00Z", created: created)
            _ = try await mortise.api.post("\(rotated.path)/rotate", as: mortise.adminToken)
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
                SELECT id, key_id, '2025-06-01T00:00:00Z' FROM auth.key_secrets
                WHERE key_id = '\(rotated.id)' ON CONFLICT DO NOTHING
                """
            )
            for (time, expected) in [
                ("2025-03-01T00:00:00Z", ["idle", "never"]), ("2025-01-01T00:00:00.000001Z", ["idle", "never"]),
                // A use at the instant itself is a use since then.
                ("2025-01-01T00:00:00Z", ["never"]), ("2025-06-01T02:00:00%2B02:00", ["idle", "never"]),
                (created, []), ("2024-01-01T00:00:00.000001Z", ["never"]),
                ("2099-01-01T00:00:00Z", ["idle", "never", "new", "rotated", "used"]),
            ] as [(String, [String])] {
                for sort in ["-created_at", "name", "-expires_at", "last_used_at", "-last_used_at"] {
                    let query = "unused_since=\(time)&sort=\(sort)"
                    for limit in [1, 100] {
                        let found = try await names(mortise, query, limit: limit)
                        #expect(found.sorted() == expected, "\(query) in pages of \(limit)")
                    }
                }
            }
            let byUse = try await names(mortise, "unused_since=2025-03-01T00:00:00Z&sort=last_used_at")
            #expect(byUse == ["never", "idle"])
        }
    }

    @Test func `keys that end before a time work now, and end by expiry or a grace period`() async throws {
        try await withMortise { mortise in
            let end = "2098-01-01T00:00:00Z"
            _ = try await makeKey(mortise, "soon", end: end)
            _ = try await makeKey(mortise, "later", end: "2099-01-01T00:00:00Z")
            _ = try await makeKey(mortise, "endless")
            for change in ["deprecate", "disable", "revoke"] {
                let key = try await makeKey(mortise, change, end: end)
                let answer = try await mortise.api.post("\(key.path)/\(change)", as: mortise.adminToken)
                #expect(answer.status == 200, "\(answer)")
            }
            for (query, expected) in [
                ("expires_before=2098-06-01T00:00:00Z", ["deprecate", "soon"]),
                ("expires_before=2098-06-01T00:00:00Z&sort=expires_at", ["deprecate", "soon"]),
                ("expires_before=\(end)", ["deprecate"]),
                ("expires_before=9999-12-31T23:59:59.999999Z&sort=-expires_at", ["later", "soon", "deprecate"]),
                ("expires_before=2000-01-01T00:00:00Z", []),
                ("expires_before=2098-06-01T00:00:00Z&sort=last_used_at&status=active", ["soon"]),
                ("expires_before=2099-06-01T00:00:00Z&query=OO&sort=name&type=service", ["soon"]),
                (
                    "expires_before=2099-06-01T00:00:00Z&unused_since=2098-01-01T00:00:00Z&query=e&sort=name",
                    ["deprecate", "later"]
                ),
            ] as [(String, [String])] {
                for limit in [1, 100] {
                    let found = try await names(mortise, query, limit: limit)
                    #expect(found == expected, "\(query) in pages of \(limit)")
                }
            }
        }
    }

    @Test func `every family of keys has the orders and the filters`() async throws {
        try await withMortise { mortise in
            for (name, subject) in [("one", "user_1"), ("two", "user_2"), ("three", "user_1")] {
                _ = try await mortise.makeClientKey(name, subject: subject)
            }
            let clients = "/v1/workspaces/default/client-keys"
            let query = "unused_since=2099-01-01T00:00:00Z"
            for sort in Self.sorts {
                #expect(try await names(mortise, "\(query)&sort=\(sort)", limit: 1, at: clients).count == 3)
                let own = "\(query)&sort=\(sort)&subject=user_1"
                #expect(try await names(mortise, own, limit: 1, at: clients).count == 2)
                let admins = "/v1/organizations/default/admin-keys"
                #expect(try await names(mortise, "\(query)&sort=\(sort)", at: admins) == ["First admin key"])
                let operators = try await names(
                    mortise,
                    "\(query)&sort=\(sort)",
                    at: "/v1/operator-keys",
                    as: mortise.operatorToken
                )
                #expect(!operators.isEmpty)
            }
        }
    }

    // The attack: a member sorts the list of client keys to see those of others.
    @Test func `a member sees the own client keys alone, in any order`() async throws {
        try await withMortise { mortise in
            let member = try await mortise.addMember("ada@example.org", "member")
            let session = try await mortise.signIn("ada@example.org").access
            _ = try await mortise.makeClientKey("foreign", subject: "somebody")
            _ = try await mortise.makeClientKey("own", subject: member.userID)
            let path = "/v1/workspaces/default/client-keys"
            for sort in Self.sorts {
                let found = try await names(mortise, "sort=\(sort)", at: path, as: session)
                #expect(found == ["own"], "\(sort)")
            }
        }
    }

    // MARK: Refusals

    // A position in one order would leave out keys in another, without a word.
    @Test func `a cursor continues a list in its own order, and is refused in every other`() async throws {
        try await withMortise { mortise in
            for name in ["a", "b"] { _ = try await mortise.makeKey(name) }
            let path = ServerHarness.keys()
            for sort in Self.sorts {
                let page = try await mortise.api.get("\(path)?sort=\(sort)&limit=1", as: mortise.adminToken)
                let cursor = try page.string("next_cursor")
                for other in Self.sorts {
                    let answer = try await mortise.api.get(
                        "\(path)?sort=\(other)&cursor=\(cursor)",
                        as: mortise.adminToken
                    )
                    if sort == other {
                        #expect(answer.status == 200 && answer["data"]?.array?.count == 1, "\(answer)")
                    } else {
                        #expect(answer.status == 400 && answer.pointers == ["cursor"], "\(answer)")
                        let detail = try answer.string("detail")
                        #expect(detail.contains("`sort=\(sort)`"), "\(detail)")
                    }
                }
                // The newest first is the order of a list without `sort`, and of earlier releases.
                let plain = try await mortise.api.get("\(path)?cursor=\(cursor)", as: mortise.adminToken)
                #expect(plain.status == (sort == "-created_at" ? 200 : 400), "\(plain)")
            }
        }
    }

    @Test func `a filter, an order or a cursor that means nothing is refused with its name`() async throws {
        try await withMortise { mortise in
            let id = "0198c0de-0000-7000-8000-00000000abcd"
            for name in ["a", "b"] { _ = try await mortise.makeKey(name) }
            let page = try await mortise.api.get("\(ServerHarness.keys())?limit=1", as: mortise.adminToken)
            // Each list has its own, and refuses every other before it reads the rest.
            let mark = try page.string("next_cursor").prefix { $0 != "." }
            for (query, name) in [
                ("sort=size", "sort"), ("sort=", "sort"), ("sort=%2Bname", "sort"), ("sort=Name", "sort"),
                ("sort=name,-name", "sort"), ("sort=name&sort=name", "sort"),
                ("unused_since=yesterday", "unused_since"), ("unused_since=", "unused_since"),
                ("unused_since=2025-01-01", "unused_since"), ("unused_since=30d", "unused_since"),
                ("expires_before=7", "expires_before"), ("expires_before=2030-01-31T12:00:00", "expires_before"),
                ("expires_before=2030-02-30T12:00:00Z", "expires_before"), ("unused_before=x", "unused_before"),
                ("sort=name&cursor=\(mark).name.61", "cursor"),
                ("sort=name&cursor=\(mark).name.6.\(id)", "cursor"),
                ("sort=name&cursor=\(mark).name.4A.\(id)", "cursor"),
                // A name has no NUL and is UTF-8.
                ("sort=name&cursor=\(mark).name.00.\(id)", "cursor"),
                ("sort=name&cursor=\(mark).name.ff.\(id)", "cursor"),
                ("sort=last_used_at&cursor=\(mark).last_used_at.0.x", "cursor"),
                ("sort=last_used_at&cursor=\(mark).last_used_at.zzzzzzzzzzzzz.\(id)", "cursor"),
                ("cursor=\(mark).-created_at.0.\(id)", "cursor"),
                ("cursor=\(String(repeating: "a", count: 2201))", "cursor"),
            ] as [(String, String)] {
                let answer = try await mortise.api.get("\(ServerHarness.keys())?\(query)", as: mortise.adminToken)
                #expect(answer.status == 400 && answer.pointers == [name], "\(query): \(answer)")
            }
        }
    }

    // MARK: Speed

    private static let manyKeys = """
        WITH keys AS (
            INSERT INTO auth.service_keys (id, kind, name, mode, scopes, created_by, created_at, expires_at)
            SELECT gen_random_uuid(), 'service', 'Key ' || n, 'live', '{}', 'platform', now() - n * interval '1 minute',
                CASE n % 7 WHEN 0 THEN now() + n * interval '1 hour' END
            FROM generate_series(1, 20000) n RETURNING id, created_at
        ), secrets AS (
            INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix)
            SELECT gen_random_uuid(), id, sha256(id::text::bytea), 'p', 'mks_live_' || left(id::text, 6) FROM keys
            RETURNING id, key_id
        )
        INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
        SELECT s.id, k.id, k.created_at FROM secrets s JOIN keys k ON k.id = s.key_id
        WHERE extract(minute FROM k.created_at)::int % 2 = 0;
        ANALYZE auth.service_keys, auth.key_usage
        """

    // A list by the last use took 200 ms of a database with 100,000 keys, which it sorted for each page.
    @Test func `a page in any order reads an index, and does not sort all keys`() async throws {
        try await withMortise { mortise in
            try await mortise.inWorkspace(Self.manyKeys)
            let database = try await mortise.workspaceDatabase()
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            for order in KeyBrowse.Order.allCases {
                for isAscending in [true, false] {
                    var browse = KeyBrowse(order: order, isAscending: isAscending)
                    try await expectIndex(browse, mortise, database)
                    browse.cursor = try await keys.browse(browse, limit: 100, in: home).next
                    try #require(browse.cursor != nil)
                    try await expectIndex(browse, mortise, database)
                }
            }
        }
    }

    private func expectIndex(
        _ browse: KeyBrowse,
        _ mortise: ServerHarness,
        _ database: PostgresConfiguration
    ) async throws {
        let query = BrowseQuery(browse, in: .workspace, limit: 51)
        for part in query.parts {
            let page = query.page(part, .all, limit: 51)
            let (statement, parameters) = (Statement("EXPLAIN \(page.statement.sql)", prepared: false), page.parameters)
            let plan = try await mortise.withConnection(database) { connection in
                try await connection.query(statement, parameters).map { try $0.decode(0, as: String.self) }
            }
            let steps = plan.map { $0.drop { $0 == " " || $0 == "-" || $0 == ">" } }
            let text = plan.joined(separator: "\n")
            #expect(!steps.contains { $0.hasPrefix("Sort  (") || $0.contains("Seq Scan") }, "\(text)")
            #expect(steps.contains { $0.hasPrefix("Index") }, "\(text)")
        }
    }
}
