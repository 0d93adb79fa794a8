public import FoundationEssentials
public import Keys

/// An event: one row of the audit log `auth.key_events`.
public struct EventRecord: Sendable {
    /// The event's id, version 7.
    ///
    /// Events sort by it.
    public var id: UUID
    /// The workspace that changed, or `nil` for events of an organization or of the platform.
    public var workspaceID: UUID?
    /// The organization that changed.
    ///
    /// The rows of events of the keys inside a workspace have none.
    public var organizationID: UUID?
    /// The key that changed.
    ///
    /// It may have been deleted since.
    public var keyID: UUID?
    /// The key's name at the time of the event.
    public var keyName: String?
    /// The event's type, such as `created`, `rotated` or `revoked`.
    ///
    /// See ``EventType``.
    public var type: String
    /// The actor: `admin-key:<id>`, `member:<user id>`, `system` and the like.
    public var actor: String
    /// The address that the request came from.
    public var address: String?
    /// The id of the request, as in the log.
    public var requestID: String?
    /// The database's time at the change.
    public var occurredAt: Timestamp
    /// The changes as the text of a JSON object: `{"name": {"from": …, "to": …}}`.
    public var changes: String

    /// Creates an event that is about to be recorded.
    public init(
        _ type: EventType,
        id: UUID,
        workspaceID: UUID? = nil,
        organizationID: UUID? = nil,
        keyID: UUID? = nil,
        keyName: String? = nil,
        changes: EventChanges = EventChanges(),
        by attribution: Attribution,
        at now: Timestamp
    ) {
        self.id = id
        self.workspaceID = workspaceID
        self.organizationID = organizationID
        self.keyID = keyID
        self.keyName = keyName
        self.type = type.rawValue
        actor = attribution.actor
        address = attribution.address
        requestID = attribution.requestID
        occurredAt = now
        self.changes = changes.text
    }
}
