public import FoundationEssentials
public import Keys
public import Postgres

/// A reason for which a person should look at a key.
public enum KeyConcern: Sendable, Hashable {
    /// The key works and ends at an instant within 30 days.
    case ending(Timestamp)
    /// A replaced secret of the key is still used, and ends at an instant.
    case oldSecretInUse(endsAt: Timestamp, lastUsedAt: Timestamp)
    /// The key works and was not used for 90 days. `nil` if it was never used.
    case unused(lastUsedAt: Timestamp?)
}

/// A key that a person should look at.
public struct ConcerningKey: Sendable, Hashable {
    /// The key.
    public let id: UUID
    /// The key's name.
    public let name: String
    /// True for a client key.
    public let isClientKey: Bool
    /// The reason.
    public let concern: KeyConcern
}

/// The keys of one workspace that a person should look at, over a connection that the caller has leased.
public struct AttentionStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection to a workspace's database.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// Returns a query over both tables of keys.
    ///
    /// Each table has a query of its own, so that its `rest` can order and limit it by an index.
    private static func union(_ columns: String, _ condition: String, _ rest: String) -> String {
        """
        (SELECT k.id, k.name, false AS is_client\(columns) FROM auth.service_keys k WHERE \(condition) \(rest))
        UNION ALL (SELECT k.id, k.name, true\(columns) FROM auth.client_keys k WHERE \(condition) \(rest))
        """
    }

    private static let ending = Statement(
        """
        SELECT * FROM (\(union(
            ", \(BrowseQuery.end) AS ends_at",
            "\(BrowseQuery.works) AND \(BrowseQuery.end) <= now() + interval '30 days'",
            "ORDER BY \(BrowseQuery.end), k.id LIMIT $1"))) k
        ORDER BY ends_at, id LIMIT $1
        """
    )

    private static let oldSecrets = Statement(
        """
        SELECT coalesce(s.key_id, s.client_key_id), coalesce(k.name, c.name), c.id IS NOT NULL, s.ends_at, u.last_used_at
        FROM auth.key_secrets s JOIN auth.key_usage u ON u.secret_id = s.id
        LEFT JOIN auth.service_keys k ON k.id = s.key_id LEFT JOIN auth.client_keys c ON c.id = s.client_key_id
        WHERE s.ended_at IS NULL AND s.ends_at > now() AND u.last_used_at > now() - interval '24 hours'
          AND u.last_used_at > (SELECT max(n.created_at) FROM auth.key_secrets n
              WHERE n.key_id = s.key_id OR n.client_key_id = s.client_key_id)
          AND coalesce(k.revoked_at, c.revoked_at, k.disabled_at, c.disabled_at) IS NULL
        ORDER BY s.ends_at, s.id LIMIT $1
        """
    )

    private static let isOld = "\(BrowseQuery.works) AND k.created_at < now() - interval '90 days'"

    /// The last use of every old key would have to be read to find the few that are not used.
    ///
    /// So the statement reads those of the oldest keys, and of the keys that the hourly search for notices has found. Both can have the
    /// same key.
    private static let unused = Statement(
        """
        SELECT k.id, k.name, k.is_client, k.used FROM (
            SELECT k.*, (SELECT max(u.last_used_at) FROM auth.key_usage u WHERE u.key_id = k.id) AS used FROM (
                \(union("", isOld, "ORDER BY k.created_at, k.id LIMIT 500"))
                UNION ALL \(union(
                    "",
                    "k.id IN (SELECT n.key_id FROM auth.key_notices n WHERE n.type = 'unused') AND \(isOld)",
                    ""))
            ) k
        ) k WHERE coalesce(k.used <= now() - interval '90 days', true) LIMIT 2 * $1
        """
    )

    /// Returns some keys for each reason.
    ///
    /// - Parameter limit: The maximum number of keys for each reason.
    /// - Returns: The keys, the most urgent first.
    /// - Throws: The database's errors.
    public func keys(limit: Int) async throws -> [ConcerningKey] {
        let old = try await connection.query(Self.oldSecrets, [limit])
            .map {
                try Self.key($0, .oldSecretInUse(endsAt: try $0.timestamp(3), lastUsedAt: try $0.timestamp(4)))
            }
        let ending = try await connection.query(Self.ending, [limit])
            .map { try Self.key($0, .ending(try $0.timestamp(3))) }
        var known: Set<UUID> = []
        let unused = try await connection.query(Self.unused, [limit])
            .map { try Self.key($0, .unused(lastUsedAt: try $0.optionalTimestamp(3))) }
            .filter { known.insert($0.id).inserted }
        return old + ending + unused.prefix(limit)
    }

    private static func key(_ row: Row, _ concern: KeyConcern) throws -> ConcerningKey {
        ConcerningKey(
            id: try row.decode(0),
            name: try row.decode(1),
            isClientKey: try row.decode(2),
            concern: concern
        )
    }
}
