import JSON
import Postgres
import ServerTestSupport
import Testing

/// The abilities of a key, read from the database and compared here without code of the program.
struct KeyStrength: Equatable {
    let id: String
    let kind: String
    let subject: String?
    let mode: String
    let permissions: Set<String>
    let scopes: Set<String>
    let namespaces: Set<String>?
    let addresses: Set<String>
    let perMinute: Int64?
    let perHour: Int64?
    /// The end in seconds since 1970.
    let end: Int64?
    let isEnabled: Bool
    let isAlive: Bool
    /// The newest secret.
    let secret: String?

    init(_ json: JSONValue) {
        func texts(_ name: String) -> [String]? { json[name]?.array?.compactMap(\.string) }
        id = json["id"]?.string ?? ""
        kind = json["kind"]?.string ?? ""
        subject = json["subject"]?.string
        mode = json["mode"]?.string ?? ""
        permissions = Set(texts("permissions") ?? [])
        scopes = Set(texts("scopes") ?? [])
        namespaces = texts("namespaces").map(Set.init)
        addresses = Set(texts("addresses") ?? [])
        perMinute = json["minute"]?.number?.int64
        perHour = json["hour"]?.number?.int64
        end = json["ends"]?.number?.int64
        isEnabled = json["enabled"] == true
        isAlive = json["alive"] == true
        secret = json["secret"]?.string
    }

    /// Returns the settings in which the key can do more than a bound.
    func excess(over bound: KeyStrength) -> [String] {
        var excess: [String] = []
        func add(_ name: String, _ isWithin: Bool) { if !isWithin { excess.append(name) } }
        func isWithin(_ value: Int64?, _ bound: Int64?) -> Bool {
            bound.map { b in value.map { $0 <= b } ?? false } ?? true
        }
        add("mode", bound.mode == "live" || mode == "test")
        add("permissions", permissions.isSubset(of: bound.permissions))
        if !["admin", "operator"].contains(kind) {
            add("scopes", bound.scopes.contains("*") || scopes.isSubset(of: bound.scopes))
        }
        add("namespaces", bound.namespaces.map { b in namespaces.map { $0.isSubset(of: b) } ?? false } ?? true)
        add("addresses", bound.addresses.isEmpty || (!addresses.isEmpty && addresses.isSubset(of: bound.addresses)))
        add("minute", isWithin(perMinute, bound.perMinute))
        add("hour", isWithin(perHour, bound.perHour))
        add("end", isWithin(end, bound.end))
        return excess
    }

    /// Returns true if the key can do nothing that it could not do before.
    func isNoMore(than old: KeyStrength) -> Bool {
        excess(over: old).isEmpty && secret == old.secret && subject == old.subject
            && (old.isEnabled || !isEnabled) && (old.isAlive || !isAlive)
    }

    /// Returns true if the key was only disabled or revoked.
    func isStopped(from old: KeyStrength) -> Bool {
        isNoMore(than: old) && old.excess(over: self).isEmpty
    }
}

/// Everything that credentials can be made of, before or after a request.
struct StrengthSnapshot {
    var keys: [String: KeyStrength] = [:]
    /// Memberships: the id, and the role, place and password.
    var members: [String: [String]] = [:]
    var issuers: Set<String> = []
    var workspaces: Set<String> = []
    /// The scopes that members can give, by workspace.
    var ceilings: [String: String] = [:]
    var webhooks: [String: Webhook] = [:]

    /// A receiver of events, and the types that it is sent.
    struct Webhook: Equatable {
        let url: String
        let types: String
        /// The nonce of the signing secret.
        let secret: String
        let isEnabled: Bool

        /// Returns true if nothing but the end of deliveries has changed.
        func isNoMore(than old: Webhook) -> Bool {
            url == old.url && types == old.types && secret == old.secret && (old.isEnabled || !isEnabled)
        }
    }

    private static func keysSQL(_ table: String, _ column: String, _ own: String) -> String {
        """
        SELECT coalesce(json_agg(row_to_json(t)), '[]')::text FROM (SELECT k.id, \(own), k.mode, k.scopes, \
        k.allowed_namespaces AS namespaces, k.allowed_ips AS addresses, k.rate_limit_per_minute AS minute, \
        k.rate_limit_per_hour AS hour, extract(epoch FROM least(k.expires_at, k.grace_period_ends_at))::bigint AS ends, \
        k.disabled_at IS NULL AS enabled, k.revoked_at IS NULL AND k.ended_at IS NULL AS alive, \
        (SELECT s.id FROM auth.key_secrets s WHERE s.\(column) = k.id ORDER BY s.created_at DESC, s.id DESC LIMIT 1) \
        AS secret FROM \(table) k) t
        """
    }

    private static let service = keysSQL("auth.service_keys", "key_id", "k.kind, NULL AS subject, k.permissions")
    private static let client = keysSQL(
        "auth.client_keys",
        "client_key_id",
        "'client' AS kind, k.subject, '{}'::text[] AS permissions"
    )
    private static let people = """
        SELECT json_build_object('members', (SELECT coalesce(json_agg(json_build_array(m.id::text, m.role, \
        coalesce(m.workspace_id::text, ''), coalesce(u.password_hash, ''), coalesce(u.name, ''))), '[]') \
        FROM control.members m JOIN control.users u ON u.id = m.user_id), \
        'issuers', (SELECT coalesce(json_agg(id::text), '[]') FROM control.session_issuers), \
        'workspaces', (SELECT coalesce(json_agg(id::text), '[]') FROM control.workspaces), \
        'ceilings', (SELECT coalesce(json_agg(json_build_array(id::text, coalesce(array_to_string(member_scopes, ' '), ''))), \
        '[]') FROM control.workspaces), \
        'webhooks', (SELECT coalesce(json_agg(json_build_array(id::text, url, array_to_string(event_types, ' '), \
        secret_nonce::text, (disabled_at IS NULL)::text)), '[]') FROM control.webhooks))::text
        """

    init(_ control: PostgresConnection, _ workspace: PostgresConnection) async throws {
        for (connection, sql) in [(control, Self.service), (workspace, Self.service), (workspace, Self.client)] {
            for json in try await Self.read(connection, sql).array ?? [] {
                let key = KeyStrength(json)
                keys[key.id] = key
            }
        }
        let people = try await Self.read(control, Self.people)
        for member in people["members"]?.array ?? [] {
            let texts = (member.array ?? []).compactMap(\.string)
            members[texts[0]] = Array(texts.dropFirst())
        }
        issuers = Set((people["issuers"]?.array ?? []).compactMap(\.string))
        workspaces = Set((people["workspaces"]?.array ?? []).compactMap(\.string))
        for ceiling in people["ceilings"]?.array ?? [] {
            let texts = (ceiling.array ?? []).compactMap(\.string)
            ceilings[texts[0]] = texts[1]
        }
        for webhook in people["webhooks"]?.array ?? [] {
            let texts = (webhook.array ?? []).compactMap(\.string)
            webhooks[texts[0]] = Webhook(
                url: texts[1],
                types: texts[2],
                secret: texts[3],
                isEnabled: texts[4] == "true"
            )
        }
    }

    private static func read(_ connection: PostgresConnection, _ sql: String) async throws -> JSONValue {
        let rows = try await connection.query(Statement(sql, prepared: false))
        let text = try #require(rows.first).decode(0, as: String.self)
        return try JSONValue(parsing: text.utf8, limits: JSONLimits(maximumBytes: 8 << 20))
    }
}

/// The rows that a test begins with, to which each request that changed something goes back.
struct StrengthReset {
    private static let keyTables = ["auth.service_keys", "auth.client_keys", "auth.key_secrets", "auth.idempotency"]

    static func save(_ control: PostgresConnection, _ workspace: PostgresConnection) async throws {
        for (connection, tables) in [
            (control, keyTables + ["control.users", "control.members", "control.session_issuers", "control.webhooks"]),
            (workspace, keyTables),
        ] {
            try await connection.script("CREATE SCHEMA strength")
            for table in tables {
                try await connection.script("CREATE TABLE strength.\(name(table)) AS SELECT * FROM \(table)")
            }
        }
    }

    static func restore(_ control: PostgresConnection, _ workspace: PostgresConnection) async throws {
        let deletions = keyTables.map { "DELETE FROM \($0);" }.joined()
        let insertions = keyTables.map { "INSERT INTO \($0) SELECT * FROM strength.\(name($0));" }.joined()
        try await workspace.script(
            "BEGIN; \(deletions) \(insertions) UPDATE auth.workspace SET state = 'active'; COMMIT"
        )
        try await control.script(
            """
            BEGIN; \(deletions) \(insertions)
            DELETE FROM control.members WHERE id NOT IN (SELECT id FROM strength.members);
            INSERT INTO control.users SELECT * FROM strength.users ON CONFLICT DO NOTHING;
            INSERT INTO control.members SELECT * FROM strength.members ON CONFLICT DO NOTHING;
            UPDATE control.members m SET role = s.role FROM strength.members s WHERE s.id = m.id;
            UPDATE control.users u SET password_hash = s.password_hash, name = s.name FROM strength.users s WHERE s.id = u.id;
            UPDATE control.sessions SET ended_at = NULL, end_reason = NULL;
            DELETE FROM control.session_issuers WHERE id NOT IN (SELECT id FROM strength.session_issuers);
            INSERT INTO control.session_issuers SELECT * FROM strength.session_issuers ON CONFLICT DO NOTHING;
            DELETE FROM control.webhooks WHERE id NOT IN (SELECT id FROM strength.webhooks);
            INSERT INTO control.webhooks SELECT * FROM strength.webhooks ON CONFLICT DO NOTHING;
            UPDATE control.webhooks w SET url = s.url, event_types = s.event_types, disabled_at = s.disabled_at,
                disabled_reason = s.disabled_reason, secret_id = s.secret_id, secret_nonce = s.secret_nonce,
                old_secret_id = s.old_secret_id, old_secret_nonce = s.old_secret_nonce,
                old_secret_ends_at = s.old_secret_ends_at FROM strength.webhooks s WHERE s.id = w.id;
            UPDATE control.workspaces SET member_scopes = NULL WHERE member_scopes IS NOT NULL;
            UPDATE control.workspaces SET state = 'active', target_state = NULL WHERE state = 'suspended'; COMMIT
            """
        )
    }

    private static func name(_ table: String) -> String { table.split(separator: ".").last.map(String.init) ?? table }
}
