public import FoundationEssentials
public import Keys
public import Postgres

/// The keys of one database, over a connection that the caller has leased, so that several calls can be one transaction.
///
/// It knows rows and no rules: who may do what, and what a change means, is decided above.
public struct KeyStore: Sendable {
    let connection: PostgresConnection

    /// Works on a connection to a workspace's database, or to the control database for admin and operator keys.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    // MARK: Reading

    /// The database's clock, which every lifetime is measured by.
    public func now() async throws -> Timestamp {
        let rows = try await self.connection.query(Statements.now)
        return try rows.first.orMissing().decode(0, as: StoredTime.self).value
    }

    /// A key with its secrets, or `nil`.
    public func find(_ id: UUID, in owner: KeyOwner) async throws -> KeyRecord? {
        try await self.read(Statements.find, id, owner)
    }

    /// A key with its secrets, locked until the transaction ends, or `nil`.
    public func lock(_ id: UUID, in owner: KeyOwner) async throws -> KeyRecord? {
        try await self.read(Statements.lock, id, owner)
    }

    private func read(_ statement: Statement, _ id: UUID, _ owner: KeyOwner) async throws -> KeyRecord? {
        let rows = try await self.connection.query(statement, [id, owner.kinds, owner.organizationID])
        guard let row = rows.first else { return nil }
        return try await self.withSecrets([KeyRecord(row: row)]).first
    }

    /// One page of keys, newest first.
    ///
    /// - Parameters:
    ///   - owner: whose keys.
    ///   - filter: which of them.
    ///   - cursor: the last key of the page before.
    ///   - limit: the most keys to return; one more tells the caller that there is a next page.
    /// - Returns: the keys.
    /// - Throws: the database's errors.
    public func list(
        in owner: KeyOwner,
        _ filter: KeyFilter,
        after cursor: KeyCursor?,
        limit: Int
    ) async throws -> [KeyRecord] {
        let rows = try await self.connection.query(
            Statements.list,
            [
                owner.kinds, owner.organizationID, filter.query.map(Self.pattern), filter.status?.rawValue,
                filter.kind?.rawValue, cursor?.createdAt.stored, cursor?.id, limit,
            ]
        )
        return try await self.withSecrets(rows.map { try KeyRecord(row: $0) })
    }

    /// A substring match for ILIKE, in which the caller's text means itself.
    static func pattern(_ text: String) -> String {
        var pattern = "%"
        for character in text {
            if character == "%" || character == "_" || character == "\\" { pattern.append("\\") }
            pattern.append(character)
        }
        return pattern + "%"
    }

    private func withSecrets(_ keys: [KeyRecord]) async throws -> [KeyRecord] {
        if keys.isEmpty { return [] }
        let rows = try await self.connection.query(Statements.secrets, [keys.map(\.id)])
        var secrets: [UUID: [SecretRecord]] = [:]
        for row in rows {
            secrets[try row.decode(0), default: []].append(try SecretRecord(row: row))
        }
        return keys.map { key in
            var key = key
            key.allSecrets = secrets[key.id] ?? []
            return key
        }
    }

    // MARK: Writing

    /// Inserts a key; its times are the database's.
    ///
    /// - Throws: `uniqueViolation` on `service_keys_unique_name_key` when the name is taken.
    public func insert(_ key: KeyRecord, uniqueName: String?) async throws {
        try await self.connection.query(
            Statements.insert,
            [
                key.id, key.kind.rawValue, key.organizationID, key.name, uniqueName, key.description, key.mode.rawValue,
                key.scopes,
                key.permissions, key.allowedNamespaces, key.allowedAddresses, key.rateLimitPerMinute,
                key.rateLimitPerHour, key.expiresAt?.stored, PostgresJSON(key.metadata), key.createdBy,
                key.createdAt.stored,
            ]
        )
    }

    /// Writes every setting and state of a key that can change.
    public func update(_ key: KeyRecord, uniqueName: String?) async throws {
        try await self.connection.query(
            Statements.update,
            [
                key.id, key.name, uniqueName, key.description, key.scopes, key.permissions, key.allowedNamespaces,
                key.allowedAddresses, key.rateLimitPerMinute, key.rateLimitPerHour, key.expiresAt?.stored,
                PostgresJSON(key.metadata), key.disabledAt?.stored, key.deprecatedAt?.stored, key.deprecationReason,
                key.gracePeriodEndsAt?.stored, key.endedAt?.stored, key.revokedAt?.stored, key.revokedBy,
                key.revocationReason,
                key.replacedBy, key.updatedAt.stored,
            ]
        )
    }

    /// Removes a key and its secrets.
    ///
    /// Its events stay.
    public func delete(_ id: UUID) async throws {
        try await self.connection.query(Statements.delete, [id])
    }

    /// Adds a secret to a key.
    public func insert(_ secret: NewSecret, key: UUID) async throws {
        try await self.connection.query(
            Statements.insertSecret,
            [secret.id, key, secret.digest.bytes, secret.pepperID, secret.prefix, secret.createdAt.stored]
        )
    }

    /// Ends a secret: at an instant, or at once by a change of state, so that no clock decides.
    public func end(_ secret: UUID, _ end: GraceEnd, now: Timestamp) async throws {
        switch end {
        case .at(let instant):
            try await self.connection.query(Statements.endSecret, [secret, instant.stored])
        case .atOnce:
            try await self.connection.query(Statements.endSecretNow, [secret, now.stored])
        }
    }

    /// Whether a key has the secret with this digest.
    public func hasSecret(_ digest: Digest, key: UUID) async throws -> Bool {
        try await !self.connection.query(Statements.hasSecret, [digest.bytes, key]).isEmpty
    }
}

/// A secret about to be stored.
public struct NewSecret: Sendable {
    let id: UUID
    let digest: Digest
    let pepperID: String
    let prefix: String
    let createdAt: Timestamp

    /// Describes a secret by what is kept of its token.
    public init(id: UUID, digest: Digest, pepperID: String, prefix: String, createdAt: Timestamp) {
        self.id = id
        self.digest = digest
        self.pepperID = pepperID
        self.prefix = prefix
        self.createdAt = createdAt
    }
}

extension Optional {
    /// The value, where a query always has a row.
    func orMissing() throws(PostgresError) -> Wrapped {
        guard let self else { throw PostgresError(.decoding, "a row that must exist does not") }
        return self
    }
}
