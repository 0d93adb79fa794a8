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
        let rows = try await connection.query(KeyStatements.now)
        return try rows.first.orMissing().decode(0, as: StoredTime.self).value
    }

    /// A key with its secrets, or `nil`.
    public func find(_ id: UUID, in owner: KeyOwner) async throws -> KeyRecord? {
        try await read(owner.statements.find, id, owner)
    }

    /// A key with its secrets, locked until the transaction ends, or `nil`.
    public func lock(_ id: UUID, in owner: KeyOwner) async throws -> KeyRecord? {
        try await read(owner.statements.lock, id, owner)
    }

    private func read(_ statement: Statement, _ id: UUID, _ owner: KeyOwner) async throws -> KeyRecord? {
        let rows = try await connection.query(statement, [id] + owner.parameters)
        guard let row = rows.first else { return nil }
        return try await withSecrets([KeyRecord(row: row)], owner).first
    }

    /// Part of the keys, newest first whichever part it is.
    ///
    /// - Parameters:
    ///   - owner: whose keys.
    ///   - filter: which of them.
    ///   - place: where to begin.
    ///   - limit: the most keys to return; one more than a page holds tells that there is another.
    /// - Returns: the keys.
    /// - Throws: the database's errors.
    public func list(
        in owner: KeyOwner,
        _ filter: KeyFilter,
        at place: KeyPlace,
        limit: Int
    ) async throws -> [KeyRecord] {
        let (statement, cursor, offset) =
            switch place {
            case .newest(let offset): (owner.statements.listAfter, KeyCursor.newest, offset)
            case .after(let cursor): (owner.statements.listAfter, cursor, 0)
            case .before(let cursor): (owner.statements.listBefore, cursor, 0)
            }
        let window: [any PostgresEncodable] = [cursor.createdAt.stored, cursor.id, limit, offset]
        let rows = try await connection.query(statement, filter.parameters + owner.parameters + window)
        let keys = try await withSecrets(rows.map { try KeyRecord(row: $0) }, owner)
        if case .before = place { return keys.reversed() }
        return keys
    }

    /// How many keys a filter finds.
    public func count(in owner: KeyOwner, _ filter: KeyFilter) async throws -> Int {
        let rows = try await connection.query(owner.statements.count, filter.parameters + owner.parameters)
        return Int(try rows.first.orMissing().decode(0, as: Int64.self))
    }

    private func withSecrets(_ keys: [KeyRecord], _ owner: KeyOwner) async throws -> [KeyRecord] {
        if keys.isEmpty { return [] }
        let rows = try await connection.query(owner.statements.secrets, [keys.map(\.id)])
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
    /// - Throws: `uniqueViolation` on `service_keys_unique_name` or `client_keys_unique_name` when the name is taken.
    public func insert(_ key: KeyRecord) async throws {
        let common: [any PostgresEncodable] = [
            key.id, key.name, key.uniqueName, key.description, key.mode.rawValue, key.scopes, key.allowedNamespaces,
            key.allowedAddresses, key.rateLimitPerMinute, key.rateLimitPerHour, key.expiresAt?.stored,
            PostgresJSON(key.metadata), key.disabledAt?.stored, key.createdBy, key.createdAt.stored,
        ]
        try await connection.query(key.statements.insert, common + key.fixedValues + key.changingValues)
    }

    /// Writes every setting and state of a key that can change.
    ///
    /// - Throws: as `insert` does.
    public func update(_ key: KeyRecord) async throws {
        let common: [any PostgresEncodable] = [
            key.id, key.name, key.uniqueName, key.description, key.scopes, key.allowedNamespaces,
            key.allowedAddresses, key.rateLimitPerMinute, key.rateLimitPerHour, key.expiresAt?.stored,
            PostgresJSON(key.metadata), key.disabledAt?.stored, key.deprecatedAt?.stored, key.deprecationReason,
            key.gracePeriodEndsAt?.stored, key.endedAt?.stored, key.revokedAt?.stored, key.revokedBy,
            key.revocationReason, key.replacedBy, key.updatedAt.stored,
        ]
        try await connection.query(key.statements.update, common + key.changingValues)
    }

    /// Removes a key of an owner and its secrets.
    ///
    /// Its events stay.
    public func delete(_ id: UUID, in owner: KeyOwner) async throws {
        try await connection.query(owner.statements.delete, [id] + owner.parameters)
    }

    /// Adds a secret to a key of an owner.
    ///
    /// - Throws: `decoding` where the owner has no such key, and the database's errors.
    public func insert(_ secret: NewSecret, key: UUID, in owner: KeyOwner) async throws {
        let values: [any PostgresEncodable] = [
            secret.id, key, secret.digest.bytes, secret.pepperID, secret.prefix, secret.createdAt.stored,
        ]
        let inserted = try await connection.query(owner.statements.insertSecret, values + owner.parameters)
        guard inserted.affectedRows == 1 else { throw PostgresError.rowMissing }
    }

    /// Ends a secret: at an instant, or at once by a change of state, so that no clock decides.
    public func end(_ secret: UUID, _ end: GraceEnd, now: Timestamp) async throws {
        switch end {
        case .at(let instant):
            try await connection.query(KeyStatements.endSecret, [secret, instant.stored])
        case .atOnce:
            try await connection.query(KeyStatements.endSecretNow, [secret, now.stored])
        }
    }

    /// Whether a key has the secret with this digest.
    public func hasSecret(_ digest: Digest, key: UUID, in owner: KeyOwner) async throws -> Bool {
        try await !connection.query(owner.statements.hasSecret, [digest.bytes, key]).isEmpty
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
        guard let self else { throw PostgresError.rowMissing }
        return self
    }
}

extension PostgresError {
    fileprivate static let rowMissing = PostgresError(.decoding, "a row that must exist does not")
}

extension KeyFilter {
    /// The parameters that the statements' filter reads, in its order.
    fileprivate var parameters: [any PostgresEncodable] {
        [
            query.map(Self.pattern), status?.rawValue, kind?.rawValue, name.map(Self.pattern),
            subject, type, isUsable,
        ]
    }

    /// A substring match for ILIKE, in which the caller's text means itself.
    ///
    /// Scalar by scalar: a wildcard with an accent on it is still a wildcard to the database.
    private static func pattern(_ text: String) -> String {
        var pattern = "%"
        for scalar in text.unicodeScalars {
            if scalar == "%" || scalar == "_" || scalar == "\\" { pattern.unicodeScalars.append("\\") }
            pattern.unicodeScalars.append(scalar)
        }
        return pattern + "%"
    }
}
