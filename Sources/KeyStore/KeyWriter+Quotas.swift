public import FoundationEssentials
import Postgres

extension KeyWriter {
    /// A row takes more than 100 bytes, so a small table has room without a count.
    private static let countInWorkspace = Statement(
        """
        SELECT CASE WHEN pg_relation_size('auth.service_keys') + pg_relation_size('auth.client_keys') < $1::bigint * 100 THEN 0
        ELSE (SELECT count(*) FROM (SELECT 1 FROM auth.service_keys UNION ALL SELECT 1 FROM auth.client_keys LIMIT $1) k) END
        """
    )
    private static let countOfSubject = Statement(
        "SELECT count(*) FROM (SELECT 1 FROM auth.client_keys WHERE subject = $1 LIMIT $2) k"
    )
    private static let countOfOrganization = Statement(
        "SELECT count(*) FROM (SELECT 1 FROM auth.service_keys WHERE kind = 'admin' AND organization_id = $1 LIMIT $2) k"
    )
    /// The lock is released at the end of the transaction.
    private static let lock = Statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")

    /// The number of concurrent creations up to which no quota is exceeded without a lock.
    private static let margin = 64

    /// Returns true if the database's workspace has fewer keys than a limit.
    public func workspaceHasRoom(_ limit: Int) async throws -> Bool {
        try await hasRoom(limit, "mortise keys of the workspace") {
            try await connection.query(Self.countInWorkspace, [limit])
        }
    }

    /// Returns true if a subject has fewer client keys than a limit.
    public func hasRoom(forSubject subject: String, _ limit: Int) async throws -> Bool {
        try await hasRoom(limit, "mortise keys of the subject \(subject)") {
            try await connection.query(Self.countOfSubject, [subject, limit])
        }
    }

    /// Returns true if an organization has fewer admin keys than a limit.
    public func hasRoom(forAdminKeysOf organization: UUID, _ limit: Int) async throws -> Bool {
        try await hasRoom(limit, "mortise admin keys of \(organization)") {
            try await connection.query(Self.countOfOrganization, [organization, limit])
        }
    }

    /// Counts, and counts again under a lock when the limit is near: concurrent creations then come one after the other.
    private func hasRoom(_ limit: Int, _ lock: String, _ count: () async throws -> Rows) async throws -> Bool {
        func number() async throws -> Int { try await count().first?.decode(0, as: Int.self) ?? 0 }
        if try await number() + Self.margin <= limit { return true }
        try await connection.query(Self.lock, [lock])
        return try await number() < limit
    }
}
