public import FoundationEssentials

extension Mortise {
    /// An entry of the audit log.
    ///
    /// ```swift
    /// let filter = EventFilter(since: Date(timeIntervalSinceNow: -86_400))
    /// for try await event in client.workspaces.events("shop", filter) {
    ///     print(event.occurredAt, event.actor, event.type, event.keyName ?? "the workspace")
    ///     for (setting, value) in event.changes { print(setting, value) }
    ///     // The server's log has the same request id.
    ///     print("from", event.address ?? "nowhere", "request", event.requestID ?? "none")
    /// }
    /// ```
    ///
    /// A copy that can be continued, since an event's id stays:
    ///
    /// ```swift
    /// let events = try await client.workspaces.events("shop").all()
    /// let lines = events.map { event in
    ///     [event.id, event.type, event.organizationID, event.workspaceID, event.keyID]
    ///         .map { $0 ?? "" }
    ///         .joined(separator: ",")
    /// }
    /// try lines.joined(separator: "\n").write(toFile: "events.csv", atomically: true, encoding: .utf8)
    /// ```
    public struct Event: Sendable, Hashable, Identifiable {
        /// Its id.
        public let id: String
        /// What happened, such as `revoked`.
        public let type: String
        /// The workspace in which it happened.
        public let workspaceID: String?
        /// The organization in which it happened.
        public let organizationID: String?
        /// The key to which it happened.
        public let keyID: String?
        /// The key's name at the time.
        public let keyName: String?
        /// Who did it, such as `admin-key:<id>`.
        public let actor: String
        /// Where the request came from.
        public let address: String?
        /// What identifies the request in the server's log.
        public let requestID: String?
        /// When it happened.
        public let occurredAt: Date
        /// What changed.
        public let changes: [String: JSONContent]
    }
}

/// Which events are wanted.
///
/// ```swift
/// var filter = EventFilter(type: "rotated", since: Date(timeIntervalSinceNow: -7 * 86_400))
/// filter.until = Date(timeIntervalSinceNow: -86_400)
/// let events = try await client.workspaces.events("shop", filter).all()
/// print(events.count)
/// ```
public struct EventFilter: Sendable, Hashable {
    /// Only events of this type.
    public var type: String?
    /// Only events by this actor.
    public var actor: String?
    /// Only events from this time on.
    public var since: Date?
    /// Only events before this time.
    public var until: Date?

    /// Makes a filter; what is absent does not narrow the list.
    ///
    /// ```swift
    /// let filter = EventFilter(actor: "admin-key:0198c0de-0000-7000-8000-000000000001")
    /// print(filter.type ?? "any type")
    /// ```
    public init(type: String? = nil, actor: String? = nil, since: Date? = nil, until: Date? = nil) {
        self.type = type
        self.actor = actor
        self.since = since
        self.until = until
    }

    var parameters: [(name: String, value: String?)] {
        [("type", type), ("actor", actor), ("since", since?.rfc3339), ("until", until?.rfc3339)]
    }
}

extension Mortise.Event: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        type = try answer.text("type")
        workspaceID = try answer.textIfAny("workspace_id")
        organizationID = try answer.textIfAny("organization_id")
        keyID = try answer.textIfAny("key_id")
        keyName = try answer.textIfAny("key_name")
        actor = try answer.text("actor")
        address = try answer.textIfAny("address")
        requestID = try answer.textIfAny("request_id")
        occurredAt = try answer.time("occurred_at")
        changes = try answer.contents("changes")
    }
}
