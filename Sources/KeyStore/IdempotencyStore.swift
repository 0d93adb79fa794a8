public import FoundationEssentials
public import Postgres

/// The record of a request that carried an `Idempotency-Key`.
///
/// A repeated request gets the same answer from it.
///
/// It never contains a token.
public struct IdempotencyRecord: Sendable {
    /// The principal that sent the request.
    ///
    /// The same header of another principal is another request.
    public var principal: String
    /// The HMAC of the header.
    public var keyMAC: [UInt8]
    /// The digest of the request.
    public var fingerprint: [UInt8]
    /// The random nonce from which the token derives, together with a secret that no database holds.
    public var nonce: [UInt8]
    /// The id of that secret.
    public var secretID: String
    /// The created resource.
    public var resourceID: UUID
    /// The answer without its token, as JSON text; `nil` until the request is complete.
    public var answer: String?

    /// Creates the record of a request that begins.
    public init(
        principal: String,
        keyMAC: [UInt8],
        fingerprint: [UInt8],
        nonce: [UInt8],
        secretID: String,
        resourceID: UUID
    ) {
        self.principal = principal
        self.keyMAC = keyMAC
        self.fingerprint = fingerprint
        self.nonce = nonce
        self.secretID = secretID
        self.resourceID = resourceID
    }
}

extension IdempotencyRecord {
    fileprivate static let columns = "principal, key_mac, fingerprint, nonce, secret_id, resource_id, answer"

    fileprivate init(row: Row) throws(PostgresError) {
        principal = try row.decode(0)
        keyMAC = try row.decode(1)
        fingerprint = try row.decode(2)
        nonce = try row.decode(3)
        secretID = try row.decode(4)
        resourceID = try row.decode(5)
        answer = try row.decode(6, as: PostgresJSON?.self)?.text
    }
}

/// The records of requests with an `Idempotency-Key`, in the database and the transaction of what the requests create.
public struct IdempotencyStore: Sendable {
    private let connection: PostgresConnection

    /// Creates a store in an open transaction.
    public init(_ transaction: AuditedTransaction) {
        connection = transaction.connection
    }

    /// ON CONFLICT waits for a concurrent request whose transaction is open.
    ///
    /// It does nothing if that transaction commits.
    ///
    /// It locks the other request's row even where the condition keeps it from being changed (PostgreSQL manual,
    /// INSERT).
    private static let claim = Statement(
        """
        INSERT INTO auth.idempotency (principal, key_mac, fingerprint, nonce, secret_id, resource_id)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (principal, key_mac) DO UPDATE
            SET fingerprint = EXCLUDED.fingerprint, nonce = EXCLUDED.nonce, secret_id = EXCLUDED.secret_id,
                resource_id = EXCLUDED.resource_id, answer = NULL, created_at = clock_timestamp()
            WHERE idempotency.created_at <= clock_timestamp() - interval '24 hours'
        """
    )

    private static let find = Statement(
        """
        SELECT \(IdempotencyRecord.columns) FROM auth.idempotency
        WHERE principal = $1 AND key_mac = $2 AND created_at > clock_timestamp() - interval '24 hours'
        """
    )

    /// The age does not matter: `claim` has locked the row, so it exists, and it was young enough then.
    private static let findClaimed = Statement(
        "SELECT \(IdempotencyRecord.columns) FROM auth.idempotency WHERE principal = $1 AND key_mac = $2"
    )

    private static let complete = Statement(
        "UPDATE auth.idempotency SET answer = $3, resource_id = $4 WHERE principal = $1 AND key_mac = $2"
    )

    private static let deleteExpired = Statement(
        """
        DELETE FROM auth.idempotency WHERE (principal, key_mac) IN (
            SELECT principal, key_mac FROM auth.idempotency
            WHERE created_at <= clock_timestamp() - interval '24 hours'
            LIMIT 1000 FOR UPDATE SKIP LOCKED)
        """
    )

    /// Claims a request for this transaction.
    ///
    /// The call waits for a concurrent request with the same key, within the connection's `lock_timeout` and deadline.
    ///
    /// - Returns: `nil` if the claim succeeded, or the record of the request that came first.
    public func claim(_ record: IdempotencyRecord) async throws -> IdempotencyRecord? {
        let claimed = try await connection.query(
            Self.claim,
            [
                record.principal, record.keyMAC, record.fingerprint, record.nonce, record.secretID,
                record.resourceID,
            ]
        )
        if claimed.affectedRows == 1 { return nil }
        let rows = try await connection.query(Self.findClaimed, [record.principal, record.keyMAC])
        return try IdempotencyRecord(row: rows.first.orMissing())
    }

    /// Stores the created resource and the answer, without its token, for repeated requests.
    public func complete(_ record: IdempotencyRecord, answer: String) async throws {
        try await connection.query(
            Self.complete,
            [record.principal, record.keyMAC, PostgresJSON(answer), record.resourceID]
        )
    }

    /// Returns the record of a request, unless it is older than 24 hours.
    public func find(principal: String, keyMAC: [UInt8]) async throws -> IdempotencyRecord? {
        let rows = try await connection.query(Self.find, [principal, keyMAC])
        return try rows.first.map(IdempotencyRecord.init(row:))
    }

    /// Deletes up to a thousand records that are older than 24 hours.
    ///
    /// - Returns: The number of deleted records.
    public static func deleteExpired(on connection: PostgresConnection) async throws -> Int {
        try await connection.query(deleteExpired).affectedRows
    }
}
