public import FoundationEssentials
public import Postgres

/// What is kept of a request that carried an `Idempotency-Key`, so that its twin gets the same answer.
///
/// Never a token.
public struct IdempotencyRecord: Sendable {
    /// Who asked; the same header of somebody else is another request.
    public var principal: String
    /// The HMAC of the header.
    public var keyMAC: [UInt8]
    /// What was asked, as a digest.
    public var fingerprint: [UInt8]
    /// Fresh randomness that the token was derived from, together with a secret that no database holds.
    public var nonce: [UInt8]
    /// Which of the secrets.
    public var secretID: String
    /// What was made.
    public var resourceID: UUID
    /// The answer without its token, as JSON text.
    public var answer: String?

    /// Describes a request.
    public init(
        principal: String,
        keyMAC: [UInt8],
        fingerprint: [UInt8],
        nonce: [UInt8],
        secretID: String,
        resourceID: UUID,
        answer: String? = nil
    ) {
        self.principal = principal
        self.keyMAC = keyMAC
        self.fingerprint = fingerprint
        self.nonce = nonce
        self.secretID = secretID
        self.resourceID = resourceID
        self.answer = answer
    }
}

extension IdempotencyRecord {
    init(row: Row) throws(PostgresError) {
        self.init(
            principal: try row.decode(0),
            keyMAC: try row.decode(1),
            fingerprint: try row.decode(2),
            nonce: try row.decode(3),
            secretID: try row.decode(4),
            resourceID: try row.decode(5),
            answer: try row.decode(6, as: PostgresJSON?.self)?.text
        )
    }
}

/// Remembered requests, in the database and the transaction of what they made.
public struct IdempotencyStore: Sendable {
    let connection: PostgresConnection

    /// Works on a connection with an open transaction.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// ON CONFLICT waits for a twin that is still running, and then does nothing if the twin committed.
    ///
    /// It locks the twin's row even where the condition keeps it from being changed (PostgreSQL manual, INSERT).
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
        SELECT principal, key_mac, fingerprint, nonce, secret_id, resource_id, answer
        FROM auth.idempotency
        WHERE principal = $1 AND key_mac = $2 AND created_at > clock_timestamp() - interval '24 hours'
        """
    )

    /// Whatever its age: the row is locked since `claim` found it in the way, so it is there, and it was young enough then.
    private static let twin = Statement(
        """
        SELECT principal, key_mac, fingerprint, nonce, secret_id, resource_id, answer
        FROM auth.idempotency
        WHERE principal = $1 AND key_mac = $2
        """
    )

    private static let complete = Statement(
        "UPDATE auth.idempotency SET answer = $3, resource_id = $4 WHERE principal = $1 AND key_mac = $2"
    )

    private static let expire = Statement(
        """
        DELETE FROM auth.idempotency WHERE (principal, key_mac) IN (
            SELECT principal, key_mac FROM auth.idempotency
            WHERE created_at <= clock_timestamp() - interval '24 hours'
            LIMIT 1000 FOR UPDATE SKIP LOCKED)
        """
    )

    /// Claims the request for this transaction, or returns the record of the twin that came first.
    ///
    /// It waits for a twin whose transaction is open, within the connection's `lock_timeout` and deadline.
    public func claim(_ record: IdempotencyRecord) async throws -> IdempotencyRecord? {
        let claimed = try await connection.query(
            Self.claim,
            [
                record.principal, record.keyMAC, record.fingerprint, record.nonce, record.secretID,
                record.resourceID,
            ]
        )
        if claimed.affectedRows == 1 { return nil }
        let rows = try await connection.query(Self.twin, [record.principal, record.keyMAC])
        return try IdempotencyRecord(row: rows.first.orMissing())
    }

    /// Keeps what was made and the answer, without its token, for a twin.
    public func complete(_ record: IdempotencyRecord, answer: String) async throws {
        try await connection.query(
            Self.complete,
            [record.principal, record.keyMAC, PostgresJSON(answer), record.resourceID]
        )
    }

    /// What is remembered of a request, if it is not older than 24 hours.
    public func find(principal: String, keyMAC: [UInt8]) async throws -> IdempotencyRecord? {
        let rows = try await connection.query(Self.find, [principal, keyMAC])
        return try rows.first.map(IdempotencyRecord.init(row:))
    }

    /// Forgets requests of more than 24 hours ago, a thousand at a time.
    ///
    /// - Returns: how many.
    public func expire() async throws -> Int {
        try await connection.query(Self.expire).affectedRows
    }
}
