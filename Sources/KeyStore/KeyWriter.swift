public import FoundationEssentials
public import Keys
public import Postgres

/// A change of keys of one owner.
public struct KeyChangeRequest: Sendable {
    /// The owner of the keys.
    public let owner: KeyOwner
    /// The keys that the change locks, each named once; none for a change that only creates keys.
    public let keyIDs: [UUID]
    /// The caller's key, if it is in the same database.
    ///
    /// It cannot be changed until the change has ended.
    public let callerKey: CallerKey?
    /// The workspace that the events name; `nil` in the control database.
    public let workspaceID: UUID?
    /// Returns an id of version 7 for an instant.
    public let makeID: @Sendable (Timestamp) -> UUID

    /// Creates a request.
    public init(
        of owner: KeyOwner,
        keys keyIDs: [UUID],
        callerKey: CallerKey? = nil,
        workspaceID: UUID?,
        makeID: @escaping @Sendable (Timestamp) -> UUID
    ) {
        self.owner = owner
        self.keyIDs = keyIDs
        self.callerKey = callerKey
        self.workspaceID = workspaceID
        self.makeID = makeID
    }
}

extension KeyStore {
    /// Changes keys in one transaction, together with the events of the change: the only way to write a key.
    ///
    /// The order is fixed: run `entering`, lock the keys and hold the caller's key, authorize, read the clock, run `body`. A concurrent
    /// change of one of the keys waits at the lock, and `authorize` then sees what the change before it left.
    ///
    /// - Parameters:
    ///   - request: The owner and the keys.
    ///   - connection: A connection to the owner's database, without an open transaction.
    ///   - entering: Runs first, without a lock of a key: what waits for another database must not keep a key locked meanwhile.
    ///   - authorize: Looks at the caller again, under the lock, and returns the attribution of the events and what
    ///     `body` needs to know of the caller. It gets the locked keys in the request's order, without those that the owner
    ///     does not have.
    ///   - body: Changes keys through the writer.
    /// - Returns: The value that `body` returned.
    /// - Throws: The errors of `authorize`, of `body` and of the transaction. Then nothing was written, unless the error is
    ///   `commitOutcomeUnknown`.
    public static func change<Authorization, Outcome>(
        _ request: KeyChangeRequest,
        on connection: PostgresConnection,
        entering: (AuditedTransaction) async throws -> Void = { _ in },
        authorize: ([KeyRecord], AuditedTransaction) async throws -> (Attribution, Authorization),
        _ body: ([KeyRecord], Authorization, KeyWriter) async throws -> Outcome
    ) async throws -> Outcome {
        try await connection.auditedTransaction { transaction in
            try await entering(transaction)
            if request.owner == .platform, !request.keyIDs.isEmpty { try await lockOperatorKeys(connection) }
            let keys = try await KeyStore(connection)
                .lock(request.keyIDs, in: request.owner, holding: request.callerKey)
            let (attribution, authorization) = try await authorize(keys, transaction)
            let writer = KeyWriter(request, transaction, attribution, now: try await transaction.now())
            return try await body(keys, authorization, writer)
        }
    }
}

extension KeyStore {
    /// Two concurrent changes of two operator keys could each find the other key and leave none that works.
    private static let lockOperators = Statement(
        "SELECT pg_advisory_xact_lock(hashtextextended('mortise operator keys', 0))"
    )

    private static func lockOperatorKeys(_ connection: PostgresConnection) async throws {
        try await connection.query(lockOperators)
    }
}

/// Writes keys in an open transaction, each change with its events.
///
/// Only ``KeyStore/change(_:on:entering:authorize:_:)`` creates one, and every method that writes a key is a method of this
/// type.
public struct KeyWriter: Sendable {
    /// The open transaction.
    public let transaction: AuditedTransaction
    /// The attribution of the events.
    public let attribution: Attribution
    /// The database's time after the locks were taken, which is the time of the change.
    public let now: Timestamp

    let request: KeyChangeRequest
    var connection: PostgresConnection { transaction.connection }

    fileprivate init(
        _ request: KeyChangeRequest,
        _ transaction: AuditedTransaction,
        _ attribution: Attribution,
        now: Timestamp
    ) {
        self.request = request
        self.transaction = transaction
        self.attribution = attribution
        self.now = now
    }

    /// The keys as the transaction sees them.
    public var store: KeyStore { KeyStore(connection) }

    /// FOR SHARE: a suspension waits for this transaction or this transaction for it, so a secret never appears after
    /// it.
    private static let lockWorkspace = Statement("SELECT state FROM auth.workspace FOR SHARE")

    /// Returns the state of the database's workspace, locked until the transaction ends, or `nil` if the database has
    /// none.
    public func lockWorkspaceState() async throws -> String? {
        try await connection.query(Self.lockWorkspace).first.map { try $0.decode(0) }
    }

    /// Creates a key with its first secret.
    ///
    /// - Parameters:
    ///   - key: The key. Its times are the database's.
    ///   - secret: The secret.
    ///   - owner: The owner; by default the request's.
    ///   - changes: The details of the event `created`.
    /// - Returns: The key as it was stored.
    /// - Throws: `uniqueViolation` on `service_keys_unique_name` or `client_keys_unique_name` if the name is taken.
    public func create(
        _ key: KeyRecord,
        _ secret: NewSecret,
        in owner: KeyOwner? = nil,
        _ changes: EventChanges
    ) async throws -> KeyRecord {
        let owner = owner ?? request.owner
        try await connection.query(
            key.statements.insert,
            key.insertedValues + key.fixedValues + key.changingValues
        )
        try await insert(secret, key.id, owner)
        try await record(.created, key, changes)
        return try await store.find(key.id, in: owner).orMissing()
    }

    /// Writes the settings and the state of a key.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - events: The events of the change, at least one.
    /// - Throws: As ``create(_:_:in:_:)`` does.
    public func update(_ key: KeyRecord, _ events: [(type: EventType, changes: EventChanges)]) async throws {
        precondition(!events.isEmpty, "a change has an event")
        try await connection.query(key.statements.update, key.updatedValues + key.changingValues)
        for event in events { try await record(event.type, key, event.changes) }
    }

    /// Gives a key another secret and ends older ones.
    ///
    /// - Parameters:
    ///   - key: The key. Its secrets are as they were before the rotation.
    ///   - secret: The new secret.
    ///   - ends: The older secrets and their ends.
    ///   - changes: The details of the event `rotated`.
    /// - Returns: The key as it was stored.
    /// - Throws: The database's errors.
    package func rotate(
        _ key: KeyRecord,
        to secret: NewSecret,
        ending ends: [(secretID: UUID, end: GraceEnd)],
        _ changes: EventChanges
    ) async throws -> KeyRecord {
        for (secretID, end) in ends {
            switch end {
            case .at(let instant):
                try await connection.query(KeyStatements.endSecret, [secretID, instant.stored])
            case .atOnce:
                // A change of state: no clock decides.
                try await connection.query(KeyStatements.endSecretNow, [secretID, now.stored])
            }
        }
        try await insert(secret, key.id, request.owner)
        try await connection.query(request.owner.statements.pruneSecrets, [key.id])
        try await update(key, [(.rotated, changes)])
        return try await store.find(key.id, in: request.owner).orMissing()
    }

    /// Deletes a key and its secrets.
    ///
    /// Its events stay.
    public func delete(_ key: KeyRecord, _ changes: EventChanges) async throws {
        try await connection.query(request.owner.statements.delete, [key.id] + request.owner.parameters)
        try await record(.deleted, key, changes)
    }

    private func insert(_ secret: NewSecret, _ key: UUID, _ owner: KeyOwner) async throws {
        let values: [any PostgresEncodable] = [
            secret.id, key, secret.digest.bytes, secret.pepperID, secret.prefix, secret.createdAt.stored,
        ]
        let inserted = try await connection.query(owner.statements.insertSecret, values + owner.parameters)
        guard inserted.affectedRows == 1 else { throw PostgresError.rowMissing }
    }

    private func record(_ type: EventType, _ key: KeyRecord, _ changes: EventChanges) async throws {
        try await transaction.record(
            EventRecord(
                type,
                id: request.makeID(now),
                workspaceID: request.workspaceID,
                organizationID: key.organizationID,
                keyID: key.id,
                keyName: key.name,
                changes: changes,
                by: attribution,
                at: now
            )
        )
    }
}

/// A secret to be stored: what is kept of a token.
public struct NewSecret: Sendable {
    let id: UUID
    let digest: Digest
    let pepperID: String
    let prefix: String
    let createdAt: Timestamp

    /// Creates a secret.
    public init(id: UUID, digest: Digest, pepperID: String, prefix: String, createdAt: Timestamp) {
        self.id = id
        self.digest = digest
        self.pepperID = pepperID
        self.prefix = prefix
        self.createdAt = createdAt
    }
}
