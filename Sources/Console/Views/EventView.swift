import KeyStore
import Keys

/// The values of an event in templates.
struct EventView {
    let event: EventRecord
    /// The names of actors, and of the users whom events are about.
    let names: [String: String]
    private let workspace: String?

    /// Creates the view of an event.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - names: The names of ``actors(_:)``, as far as they are known.
    ///   - workspace: The name of the workspace that the event is about, for a list with the events of several.
    init(_ event: EventRecord, _ names: [String: String], workspace: String? = nil) {
        self.event = event
        self.names = names
        self.workspace = workspace
    }

    /// Returns the actors of events, and the users whom the events are about, as actors.
    static func actors(_ events: [EventRecord]) -> Set<String> {
        Set(events.map(\.actor) + events.compactMap { Self(event: $0).user })
    }

    private init(event: EventRecord) { self.init(event, [:]) }

    /// Returns the values.
    func values(at now: Timestamp) -> [String: Any] {
        var values: [String: Any] = [
            "type": event.type, "title": Self.title(event.type), "actor": KeyView.actor(event.actor, names),
            "address": event.address ?? "", "hasAddress": event.address != nil, "keyName": event.keyName ?? "",
            "hasKey": event.keyName != nil, "changes": changes, "hasChanges": !changes.isEmpty,
            "tone": Self.tone(event.type),
        ]
        values["workspaceName"] = workspace
        values["time"] = TimeView.values(event.occurredAt, at: now)
        return values
    }

    private static let titles: [String: String] = [
        "created": "Key created", "updated": "Settings changed", "disabled": "Key disabled", "enabled": "Key enabled",
        "deprecated": "Key deprecated", "rotated": "Key rotated", "revoked": "Key revoked", "deleted": "Key deleted",
        "organization.created": "Organization created", "organization.updated": "Organization changed",
        "organization.deleted": "Organization deleted", "workspace.created": "Workspace created",
        "workspace.updated": "Workspace changed", "workspace.suspended": "Workspace suspended",
        "workspace.resumed": "Workspace resumed", "workspace.archived": "Workspace archived",
        "workspace.deleted": "Workspace deleted", "member.added": "Member added", "member.updated": "Member changed",
        "member.removed": "Member removed", "member.password_changed": "Password changed",
        "member.identity_bound": "First sign-in with the identity provider",
        "member.identity_unbound": "Separated from the identity provider", "session.begun": "Signed in",
        "session.refused": "Sign-in refused", "session.reused": "Session ended, because its token came twice",
        "session.ended": "Signed out", "session_issuer.added": "Session issuer added",
        "session_issuer.removed": "Session issuer removed", "expiring": "Key ends soon",
        "grace_ending": "Replaced token still used", "unused": "Key not used", "limit_reached": "Limit reached",
        "leaked": "Token found in a public place",
        "webhook.created": "Webhook created", "webhook.updated": "Webhook changed",
        "webhook.deleted": "Webhook deleted", "webhook.enabled": "Webhook enabled",
        "webhook.disabled": "Webhook disabled", "webhook.secret_rotated": "Signing secret rotated",
    ]

    private static func title(_ type: String) -> String { titles[type] ?? type }

    /// The types with their titles, for the choice in a filter.
    static let choices: [(value: String, label: String)] = titles.map { ($0.key, $0.value) }
        .sorted { $0.label < $1.label }

    private static func tone(_ type: String) -> String {
        switch type {
        case "revoked", "deleted", "session.refused", "session.reused", "member.removed", "workspace.deleted": "bad"
        case "leaked": "bad"
        case "disabled", "deprecated", "workspace.suspended", "workspace.archived": "warn"
        case "webhook.disabled", "expiring", "grace_ending", "limit_reached": "warn"
        case "created", "enabled", "workspace.created", "workspace.resumed", "member.added": "good"
        default: "plain"
        }
    }
}
