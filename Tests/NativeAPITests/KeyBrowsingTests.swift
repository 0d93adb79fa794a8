import FoundationEssentials
import KeyStore
import Keys
import Postgres
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Searches and orders of keys for people, and the overview of a workspace.
@Suite(.hangLimit) struct KeyBrowsingTests {
    // MARK: Searches

    /// The number of keys that are found for a page by an index is 400, and a page looks at its first 200 keys.
    ///
    /// Without a text, it is 1,000 and 50 by the last use.
    private static let pageSize = 9
    private static let pages = 3

    /// Keys of which each search takes another way: few and many match, only old ones do, the last used ones do.
    private static let keys = """
        INSERT INTO auth.service_keys (id, kind, name, description, mode, scopes, created_by, created_at, expires_at, disabled_at)
        SELECT md5(n::text)::uuid, 'service',
            CASE n % 4 WHEN 0 THEN 'Deploy ' WHEN 1 THEN 'deploy-' WHEN 2 THEN 'NIGHTLY build ' ELSE 'Größe ' END || n,
            CASE WHEN n > 900 THEN 'from the old system' WHEN n % 50 = 0 THEN 'a rare 100% text' END,
            'live', '{}', CASE n % 2 WHEN 0 THEN 'platform' ELSE 'somebody' END, now() - n * interval '1 minute',
            CASE n % 3 WHEN 0 THEN now() + (n % 20) * interval '1 hour' END, CASE n % 30 WHEN 0 THEN now() END
        FROM generate_series(1, 1500) n;
        INSERT INTO auth.service_keys (id, kind, name, description, mode, scopes, created_by, created_at)
        SELECT md5(name)::uuid, 'service', name, description, 'live', '{}', 'platform', now() - interval '1 day'
        FROM (VALUES ('Build 50%', NULL), ('build_x', ''), ('BUILD \\', 'two\nlines'), (E'%\\u0301', NULL), ('ÄÖÜ straße', 'ΟΔΟΣ'),
            ('z', NULL), ('🔑🔑 keys', 'É'), ('mks_live_00a', NULL)) v (name, description);
        INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix)
        SELECT id, id, sha256(id::text::bytea), 'p', 'mks_live_' || left(id::text, 7) FROM auth.service_keys;
        INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix)
        SELECT md5(id::text)::uuid, id, sha256(convert_to(name, 'UTF8')), 'p', 'mks_live_' || right(id::text, 7) FROM auth.service_keys
        WHERE disabled_at IS NOT NULL;
        INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
        SELECT s.id, s.key_id, timestamptz '2026-01-01' + get_byte(s.digest, 0) * interval '1 hour' FROM auth.key_secrets s
        WHERE get_byte(s.digest, 1) > 60;
        ANALYZE;
        """

    /// Returns the ids that a question must find, as a statement that reads all keys says.
    private func expected(_ browse: KeyBrowse, _ mortise: ServerHarness) async throws -> [UUID] {
        let value =
            switch browse.order {
            case .name: "lower(k.name)"
            case .created: "k.created_at"
            case .ends: "coalesce(k.expires_at, 'infinity')"
            case .used:
                "coalesce((SELECT max(u.last_used_at) FROM auth.key_usage u WHERE u.key_id = k.id), '-infinity')"
            }
        let direction = browse.isAscending ? "ASC" : "DESC"
        var conditions = ["true"]
        if let text = browse.query {
            let quoted = PostgresConnection.quote(literal: text)
            conditions.append(
                """
                (strpos(lower(k.name), lower(\(quoted))) > 0 OR strpos(lower(k.description), lower(\(quoted))) > 0 OR EXISTS (
                    SELECT FROM auth.key_secrets s WHERE s.key_id = k.id AND starts_with(s.prefix, left(\(quoted), 16))))
                """
            )
        }
        if browse.status == .disabled {
            conditions.append("k.disabled_at IS NOT NULL AND coalesce(k.expires_at > now(), true)")
        }
        if let owner = browse.owner { conditions.append("k.created_by = '\(owner)'") }
        return
            try await mortise.rows(
                mortise.workspaceDatabase(),
                """
                SELECT k.id FROM auth.service_keys k WHERE \(conditions.joined(separator: " AND "))
                ORDER BY \(value) \(direction), k.id \(direction) LIMIT \(Self.pageSize * Self.pages)
                """
            )
            .map { try $0.decode(0) }
    }

    /// Returns the ids of the first pages.
    private func found(_ browse: KeyBrowse, _ mortise: ServerHarness, in home: KeyCollection) async throws -> [UUID] {
        var browse = browse
        var ids: [UUID] = []
        for _ in 0..<Self.pages {
            let page = try await mortise.keyService.browse(browse, limit: Self.pageSize, in: home)
            ids += page.keys.map(\.id)
            #expect(page.next == nil || page.keys.count == Self.pageSize)
            browse.cursor = page.next
            if page.next == nil { break }
        }
        return ids
    }

    // Which statement answers depends on the number of matching keys, so none of them may find others.
    @Test func `a search finds the same keys in every order, whether few or many match`() async throws {
        try await withMortise { mortise in
            try await mortise.inWorkspace(Self.keys)
            let home = try await mortise.serviceKeys()
            let texts = [
                "deploy", "DEPLOY-1", "nightly BUILD 1", "old system", "rare", "100% T", "%", "_", "\\", "50%", "d_x",
                "%\u{301}", "größe",
                "GRÖSSE", "STRASSE", "straße", "äöü", "οδος", "ΔΟ", "z", "q", "🔑", "🔑🔑", "é", "two\nlines", "14",
                "mks_live_",
                "mks_live_0", "mks_live_00a", "MKS_LIVE_0", "mks_live_00aaaaaaaaaaaaaaaaaa", "nothing has this", "ab'c",
            ]
            for order in KeyBrowse.Order.allCases {
                for isAscending in [true, false] {
                    for text in texts {
                        var browse = KeyBrowse(order: order, isAscending: isAscending)
                        browse.query = text
                        let wanted = try await expected(browse, mortise)
                        let answer = try await found(browse, mortise, in: home)
                        #expect(answer == wanted, "\(text) \(order) \(isAscending)")
                    }
                }
            }
        }
    }

    @Test func `a search and an order obey the filters`() async throws {
        try await withMortise { mortise in
            try await mortise.inWorkspace(Self.keys)
            let home = try await mortise.serviceKeys()
            for order in KeyBrowse.Order.allCases {
                for isAscending in [true, false] {
                    for text in [nil, "deploy", "rare", "mks_live_", "e"] {
                        var browse = KeyBrowse(order: order, isAscending: isAscending)
                        browse.query = text
                        browse.owner = "platform"
                        for status in [nil, KeyStatus.disabled] {
                            browse.status = status
                            let wanted = try await expected(browse, mortise)
                            let answer = try await found(browse, mortise, in: home)
                            #expect(answer == wanted, "\(text ?? "") \(order) \(isAscending)")
                        }
                    }
                }
            }
        }
    }

    // Which statement answers depends on the number of keys with the status among those that were used last, and in all.
    @Test func `a list by last use has all keys of a status, wherever in the order they are`() async throws {
        try await withMortise { mortise in
            // The 300 disabled keys were used after all others, and the 1,200 active ones are more than are found by their status.
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.service_keys (id, kind, name, mode, scopes, created_by, disabled_at)
                SELECT md5(n::text)::uuid, 'service', n::text, 'live', '{}', 'platform', CASE WHEN n <= 300 THEN now() END
                FROM generate_series(1, 1500) n;
                INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix)
                SELECT id, id, sha256(id::text::bytea), 'p', 'mks_live_' || left(id::text, 7) FROM auth.service_keys;
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
                SELECT id, id, timestamptz '2026-01-01' - name::int * interval '1 minute' FROM auth.service_keys
                WHERE name::int <> 1500;
                ANALYZE;
                """
            )
            let home = try await mortise.serviceKeys()
            let cases: [(status: KeyStatus, isAscending: Bool, first: [Int])] = [
                (.disabled, false, [1, 2, 3]), (.disabled, true, [300, 299, 298]), (.active, false, [301, 302, 303]),
                (.active, true, [1500, 1499, 1498]),
            ]
            for (status, isAscending, first) in cases {
                var browse = KeyBrowse(order: .used, isAscending: isAscending)
                browse.status = status
                var names: [Int] = []
                repeat {
                    let page = try await mortise.keyService.browse(browse, limit: Self.pageSize, in: home)
                    names += page.keys.compactMap { Int($0.name) }
                    browse.cursor = page.next
                } while browse.cursor != nil && names.count < 500
                #expect(Array(names.prefix(3)) == first, "\(status) \(isAscending)")
                let isInOrder = zip(names, names.dropFirst()).allSatisfy { isAscending ? $0 > $1 : $0 < $1 }
                #expect(isInOrder && names.count == (status == .disabled ? 300 : 504), "\(status) \(names.count)")
            }
        }
    }

    @Test func `keys with a rare status have an index, however rarely they are used`() async throws {
        try await withMortise { mortise in
            try await mortise.inWorkspace(Self.keys)
            try await mortise.withConnection(mortise.workspaceDatabase()) { connection in
                try await connection.script("SET enable_seqscan = off")
                var browse = KeyBrowse(order: .used)
                browse.status = .disabled
                let query = BrowseQuery(browse, in: .workspace, limit: 51)
                let selection = try await plan(query.selection(), over: connection)
                #expect(selection.contains("service_keys_states"), "\(selection)")
            }
        }
    }

    // New servers start before the workspaces are migrated.
    @Test func `a search works in a database without its index`() async throws {
        try await withMortise { mortise in
            try await mortise.inWorkspace(Self.keys + "DROP FUNCTION auth.character_pairs(text) CASCADE;")
            let home = try await mortise.serviceKeys()
            for order in KeyBrowse.Order.allCases {
                var browse = KeyBrowse(order: order)
                browse.query = "rare"
                let wanted = try await expected(browse, mortise)
                let answer = try await found(browse, mortise, in: home)
                #expect(answer == wanted, "\(order)")
            }
        }
    }

    @Test func `a client key is found by its name, its description and its token among those of its subject`()
        async throws
    {
        try await withMortise { mortise in
            let home = try await mortise.clientKeys()
            var made: [(id: UUID, token: String)] = []
            for (name, subject) in [("Größe 1", "user_1"), ("größe 2", "user_2"), ("other", "user_1")] {
                var draft = KeyDraft(name: name, description: name == "other" ? "GRÖSSE 3, größe" : nil, kind: .client)
                draft.subject = subject
                let created = try await mortise.createKey(draft, in: home)
                made.append((created.key.id, created.token))
            }
            var browse = KeyBrowse(order: .created, isAscending: true)
            browse.query = "GRÖßE"
            let all = try await mortise.keyService.browse(browse, limit: 10, in: home)
            #expect(all.keys.map(\.id) == made.map(\.id))
            let own = try await mortise.clientKeys(of: "user_1")
            #expect(
                try await mortise.keyService.browse(browse, limit: 10, in: own).keys.map(\.id) == [
                    made[0].id, made[2].id,
                ]
            )
            browse.query = String(made[1].token.prefix(16))
            #expect(try await mortise.keyService.browse(browse, limit: 10, in: home).keys.map(\.id) == [made[1].id])
            #expect(try await mortise.keyService.browse(browse, limit: 10, in: own).keys.isEmpty)
        }
    }

    // MARK: Indexes

    /// Returns the plan of a statement that may not read a whole table.
    private func plan(_ bound: BrowseQuery.Bound, over connection: PostgresConnection) async throws -> String {
        try await plan(bound.statement, bound.parameters, over: connection)
    }

    /// Returns the plan of a statement that may not read a whole table.
    private func plan(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        over connection: PostgresConnection
    ) async throws -> String {
        try await connection.query(Statement("EXPLAIN \(statement.sql)", prepared: false), parameters)
            .map { try $0.decode(0, as: String.self) }
            .joined(separator: "\n")
    }

    // An expression that differs from that of an index in one letter makes a search read all keys.
    @Test func `a search, its orders and the numbers by status have indexes`() async throws {
        try await withMortise { mortise in
            try await mortise.withConnection(mortise.workspaceDatabase()) { connection in
                try await connection.script("SET enable_seqscan = off; SET enable_sort = off")
                for (owner, table) in [(KeyOwner.workspace, "service_keys"), (.clients(subject: nil), "client_keys")] {
                    for (order, index) in [(KeyBrowse.Order.created, "newest"), (.name, "by_name"), (.ends, "by_end")] {
                        var browse = KeyBrowse(order: order)
                        browse.query = "text"
                        let query = BrowseQuery(browse, in: owner, limit: 51)
                        let head = try await plan(query.head(.whole), over: connection)
                        #expect(head.contains("\(table)_\(index)"), "\(head)")
                        let selection = try await plan(query.selection(), over: connection)
                        #expect(selection.contains("Bitmap Index Scan on \(table)_search"), "\(selection)")
                    }
                    var browse = KeyBrowse(order: .used)
                    browse.query = "text"
                    let query = BrowseQuery(browse, in: owner, limit: 51)
                    let used = try await plan(query.head(.used), over: connection)
                    #expect(used.contains("key_usage_last_used_minute"), "\(used)")
                    let unused = try await plan(query.head(.unused), over: connection)
                    #expect(unused.contains("\(table)_pkey"), "\(unused)")
                }
                // An index that has the columns of the counts saves nothing if the table is read for each entry.
                try await connection.script("SET enable_bitmapscan = off")
                let counts = try await plan(KeyStore.statusNumbers, over: connection)
                for table in ["service_keys", "client_keys"] {
                    #expect(counts.contains("Index Only Scan using \(table)_states"), "\(counts)")
                }
            }
        }
    }

    // A use of a key changes a row of `auth.key_usage`, and each index if one of them has a column that it changes. The minute of the last
    // use changes at most once in a minute.
    @Test func `no index has to change when a key is used twice in a minute`() async throws {
        try await withMortise { mortise in
            let columns =
                try await mortise.rows(
                    mortise.workspaceDatabase(),
                    """
                    SELECT DISTINCT a.attname::text FROM pg_index i
                    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
                    WHERE i.indrelid = 'auth.key_usage'::regclass ORDER BY 1
                    """
                )
                .map { try $0.decode(0, as: String.self) }
            #expect(columns == ["key_id", "last_used_minute", "secret_id"])
        }
    }

    // MARK: The overview

    /// All combinations of the columns that decide about the status.
    private static func states(_ table: String, _ column: String, _ value: String) -> String {
        """
        INSERT INTO auth.\(table) (id, \(column), name, mode, scopes, created_by, revoked_at, ended_at, disabled_at, deprecated_at,
            expires_at, grace_period_ends_at)
        SELECT gen_random_uuid(), '\(value)', 'key', 'live', '{}', 'platform', revoked, ended, disabled, deprecated, expires, grace
        FROM (VALUES (now()), (NULL)) r (revoked), (VALUES (now()), (NULL)) e (ended), (VALUES (now()), (NULL)) d (disabled),
            (VALUES (now()), (NULL)) p (deprecated),
            (VALUES (now() - interval '1 day'), (now() + interval '1 day'), (NULL)) x (expires),
            (VALUES (now() - interval '1 day'), (now() + interval '1 day'), (NULL)) g (grace);
        """
    }

    private func overview(_ mortise: ServerHarness) async throws -> WorkspaceOverview {
        let workspace = try #require(try await mortise.serviceKeys().workspace)
        let caller = try await mortise.caller()
        let now = Timestamp(microsecondsSinceUnixEpoch: 1_800_000_000_000_000)
        return try await mortise.keyService.overview(of: workspace, for: caller.principal, at: now)
    }

    @Test func `the overview counts the keys of each status as the keys themselves say`() async throws {
        try await withMortise { mortise in
            try await mortise.inWorkspace(
                Self.states("service_keys", "kind", "service") + Self.states("service_keys", "kind", "anon")
                    + Self.states("client_keys", "subject", "user_1")
            )
            let shown = try await overview(mortise)
            for (counts, home) in [
                (shown.serviceKeys, try await mortise.serviceKeys()),
                (shown.clientKeys, try await mortise.clientKeys()),
            ] {
                for status in KeyStatus.allCases {
                    let listing = try await mortise.keyService.listing(KeyFilter(status: status), limit: 1, in: home)
                    #expect(counts[status] == listing.total, "\(status)")
                }
            }
            #expect(shown.serviceKeys.values.reduce(0, +) == 288 && shown.clientKeys.values.reduce(0, +) == 144)
        }
    }

    // The overview looks at the oldest keys only. The hourly search for notices finds the others.
    @Test func `the overview names keys that are not used, also in a workspace of many old keys in use`() async throws {
        try await withMortise { mortise in
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.service_keys (id, kind, name, mode, scopes, created_by, created_at)
                SELECT md5(n::text)::uuid, 'service', 'used ' || n, 'live', '{}', 'platform', now() - interval '200 days'
                FROM generate_series(1, 500) n;
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
                SELECT id, id, now() - interval '1 day' FROM auth.service_keys;
                INSERT INTO auth.service_keys (id, kind, name, mode, scopes, created_by, created_at) VALUES
                    (md5('a')::uuid, 'service', 'noticed', 'live', '{}', 'platform', now() - interval '100 days'),
                    (md5('b')::uuid, 'service', 'used again', 'live', '{}', 'platform', now() - interval '100 days'),
                    (md5('c')::uuid, 'service', 'oldest', 'live', '{}', 'platform', now() - interval '300 days');
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at) VALUES
                    (md5('b')::uuid, md5('b')::uuid, now()), (md5('c')::uuid, md5('c')::uuid, now() - interval '91 days');
                INSERT INTO auth.key_notices (key_id, type, about)
                SELECT md5(v)::uuid, 'unused', now() FROM (VALUES ('a'), ('b'), ('c')) v (v);
                """
            )
            let concerns = try await overview(mortise).concerns
            #expect(concerns.map(\.name) == ["oldest", "noticed"])
            #expect(concerns.last?.concern == .unused(lastUsedAt: nil))
        }
    }
}
