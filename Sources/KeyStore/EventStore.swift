public import FoundationEssentials
public import Keys
public import Postgres

/// What happened to a key or a workspace: one line of the audit log.
public struct EventRecord: Sendable {
    /// The event, whose version-7 id is also its place in time.
    public var id: UUID
    /// The workspace, or `nil` for what happened to the platform.
    public var workspaceID: UUID?
    /// The organization, for what happened to it or to its admin keys.
    public var organizationID: UUID?
    /// The key, which may be gone.
    public var keyID: UUID?
    /// The key's name at the time.
    public var keyName: String?
    /// What happened, such as `created`, `rotated` or `revoked`.
    public var type: String
    /// Who did it: `admin-key:<id>`, `member:<user id>`, `system` and the like.
    public var actor: String
    /// Where the request came from.
    public var address: String?
    /// The request that did it, as the logs name it.
    public var requestID: String?
    /// When.
    public var occurredAt: Timestamp
    /// What changed, as JSON text: `{"name": {"from": …, "to": …}}`.
    public var changes: String

    /// Describes an event.
    public init(
        id: UUID,
        workspaceID: UUID?,
        organizationID: UUID?,
        keyID: UUID?,
        keyName: String?,
        type: String,
        actor: String,
        address: String?,
        requestID: String?,
        occurredAt: Timestamp,
        changes: String
    ) {
        self.id = id
        self.workspaceID = workspaceID
        self.organizationID = organizationID
        self.keyID = keyID
        self.keyName = keyName
        self.type = type
        self.actor = actor
        self.address = address
        self.requestID = requestID
        self.occurredAt = occurredAt
        self.changes = changes
    }
}

/// Which events a list shows; what is `nil` does not filter.
public struct EventFilter: Sendable {
    /// Of one key.
    public var keyID: UUID?
    /// Of one type.
    public var type: String?
    /// Of one actor.
    public var actor: String?
    /// Not before.
    public var since: Timestamp?
    /// Before.
    public var until: Timestamp?
    /// Of one organization's admin keys: the control database holds those of all.
    public var organizationID: UUID?
    /// Of operator keys only, for the same reason.
    public var isPlatformOnly = false

    /// Filters by what is given.
    public init(
        keyID: UUID? = nil,
        type: String? = nil,
        actor: String? = nil,
        since: Timestamp? = nil,
        until: Timestamp? = nil
    ) {
        self.keyID = keyID
        self.type = type
        self.actor = actor
        self.since = since
        self.until = until
    }
}

/// The audit log of one database.
///
/// Events are added and read; nothing changes or removes them.
public struct EventStore: Sendable {
    let connection: PostgresConnection

    /// Works on a connection, so that an event is part of its change's transaction.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let columns =
        "id, workspace_id, organization_id, key_id, key_name, type, actor, address, request_id, occurred_at, changes"

    private static let insert = Statement(
        "INSERT INTO auth.key_events (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    )

    private static let list = Statement(
        """
        SELECT \(columns) FROM auth.key_events
        WHERE ($1::uuid IS NULL OR key_id = $1) AND ($2::text IS NULL OR type = $2) AND ($3::text IS NULL OR actor = $3)
          AND ($4::timestamptz IS NULL OR occurred_at >= $4) AND ($5::timestamptz IS NULL OR occurred_at < $5)
          AND ($6::uuid IS NULL OR organization_id = $6)
          AND (NOT $7 OR organization_id IS NULL AND workspace_id IS NULL)
          AND ($8::uuid IS NULL OR id < $8)
        ORDER BY id DESC
        LIMIT $9
        """
    )

    /// Adds an event.
    public func add(_ event: EventRecord) async throws {
        try await connection.query(
            Self.insert,
            [
                event.id, event.workspaceID, event.organizationID, event.keyID, event.keyName, event.type, event.actor,
                event.address,
                event.requestID, event.occurredAt.stored, PostgresJSON(event.changes),
            ]
        )
    }

    /// One page of events, newest first.
    public func list(_ filter: EventFilter, after cursor: UUID?, limit: Int) async throws -> [EventRecord] {
        let rows = try await connection.query(
            Self.list,
            [
                filter.keyID, filter.type, filter.actor, filter.since?.stored, filter.until?.stored,
                filter.organizationID,
                filter.isPlatformOnly, cursor, limit,
            ]
        )
        return try rows.map { row in
            EventRecord(
                id: try row.decode(0),
                workspaceID: try row.decode(1),
                organizationID: try row.decode(2),
                keyID: try row.decode(3),
                keyName: try row.decode(4),
                type: try row.decode(5),
                actor: try row.decode(6),
                address: try row.decode(7),
                requestID: try row.decode(8),
                occurredAt: try row.decode(9, as: StoredTime.self).value,
                changes: try row.decode(10, as: PostgresJSON.self).text
            )
        }
    }
}
