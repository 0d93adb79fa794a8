#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// An entry of the audit log.
    ///
    /// The id of an event never changes, so a copy of the log can be continued.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "copy-events")
    public struct Event: Sendable, Hashable, Identifiable {
        /// The id of the event.
        public let id: String
        /// The type of the event, such as `revoked`.
        public let type: String
        /// The id of the workspace, or `nil` for an event outside of workspaces.
        public let workspaceID: String?
        /// The id of the organization, or `nil` for an event of the platform.
        public let organizationID: String?
        /// The id of the key, or `nil` for an event that has no key.
        public let keyID: String?
        /// The name of the key at the time of the event.
        public let keyName: String?
        /// The caller that made the change, such as `admin-key:<id>`, `member:<user id>` or `system`.
        public let actor: String
        /// The IP address of the caller, if known.
        public let address: String?
        /// The id of the request in the server's log.
        public let requestID: String?
        /// The time of the event.
        public let occurredAt: Date
        /// The changed settings by name, with the old value in `from` and the new value in `to` where both are known.
        public let changes: [String: JSONContent]
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
