public import FoundationEssentials
public import Keys
public import Postgres

/// The keys of one database, for reading, over a connection that the caller has leased.
///
/// The store knows rows and no rules. ``change(_:on:entering:authorize:_:)`` is the only way to write a key.
public struct KeyStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection to a workspace's database, or to the control database for admin and operator
    /// keys.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// Returns a key with its secrets, or `nil` if the owner has none of that id.
    public func find(_ id: UUID, in owner: KeyOwner) async throws -> KeyRecord? {
        let rows = try await connection.query(owner.statements.find, [id] + owner.parameters)
        guard let row = rows.first else { return nil }
        return try await withSecrets([KeyRecord(row: row)], owner).first
    }

    /// Returns those of the owner's keys that have one of some ids, in the order of the ids.
    public func find(_ ids: [UUID], in owner: KeyOwner) async throws -> [KeyRecord] {
        try await read(owner.statements.some, ids, owner)
    }

    /// Returns keys as `find` does, locked until the transaction ends.
    func lock(_ ids: [UUID], in owner: KeyOwner) async throws -> [KeyRecord] {
        try await read(owner.statements.lock, ids, owner)
    }

    private func read(_ statement: Statement, _ ids: [UUID], _ owner: KeyOwner) async throws -> [KeyRecord] {
        if ids.isEmpty { return [] }
        let rows = try await connection.query(statement, [ids] + owner.parameters)
        var known: [UUID: KeyRecord] = [:]
        for key in try await withSecrets(rows.map { try KeyRecord(row: $0) }, owner) { known[key.id] = key }
        return ids.compactMap { known[$0] }
    }

    /// Returns the organization that owns an admin key of any organization, or `nil` if there is no such key.
    public func organization(ofAdminKey id: UUID) async throws -> UUID? {
        try await connection.query(KeyStatements.organizationOfAdminKey, [id]).first.map { try $0.decode(0) }
    }

    /// Returns keys of an owner, newest first whatever the direction.
    ///
    /// - Parameters:
    ///   - owner: The owner.
    ///   - filter: The filter.
    ///   - position: The part of the list.
    ///   - limit: The maximum number of keys. A caller asks for one more than a page holds, to know whether another
    ///     page follows.
    /// - Returns: The keys.
    /// - Throws: The database's errors.
    public func list(
        in owner: KeyOwner,
        _ filter: KeyFilter,
        at position: KeyPosition,
        limit: Int
    ) async throws -> [KeyRecord] {
        let (statement, cursor, offset) =
            switch position {
            case .newest(let offset): (owner.statements.listAfter, KeyCursor.newest, offset)
            case .after(let cursor): (owner.statements.listAfter, cursor, 0)
            case .before(let cursor): (owner.statements.listBefore, cursor, 0)
            }
        let window: [any PostgresEncodable] = [cursor.createdAt.stored, cursor.id, limit, offset]
        let rows = try await connection.query(statement, filter.parameters + owner.parameters + window)
        let keys = try await withSecrets(rows.map { try KeyRecord(row: $0) }, owner)
        if case .before = position { return keys.reversed() }
        return keys
    }

    /// Returns the number of an owner's keys that match a filter.
    public func count(in owner: KeyOwner, _ filter: KeyFilter) async throws -> Int {
        let rows = try await connection.query(owner.statements.count, filter.parameters + owner.parameters)
        return Int(try rows.first.orMissing().decode(0, as: Int64.self))
    }

    /// Returns true if a key has the secret with this digest.
    public func hasSecret(_ digest: Digest, key: UUID, in owner: KeyOwner) async throws -> Bool {
        try await !connection.query(owner.statements.hasSecret, [digest.bytes, key]).isEmpty
    }

    func withSecrets(_ keys: [KeyRecord], _ owner: KeyOwner) async throws -> [KeyRecord] {
        if keys.isEmpty { return [] }
        let rows = try await connection.query(owner.statements.secrets, [keys.map(\.id)])
        var secrets: [UUID: [SecretRecord]] = [:]
        for row in rows {
            secrets[try row.decode(0), default: []].append(try SecretRecord(row: row, from: 1))
        }
        return keys.map { key in
            var key = key
            key.allSecrets = secrets[key.id] ?? []
            return key
        }
    }
}

extension KeyFilter {
    /// The parameters of the statements' filter, in its order.
    fileprivate var parameters: [any PostgresEncodable] {
        [status?.rawValue, name.map(LikePattern.anywhere), subject, type, isUsable]
    }
}
