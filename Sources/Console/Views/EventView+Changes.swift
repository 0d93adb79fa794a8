import JSON
import KeyStore
import Keys

extension EventView {
    /// The changed members: each with a value, or with the values before and after.
    var changes: [[String: Any]] {
        guard let object else { return [] }
        return object.members.filter { isShown($0.name, $0.value, in: object) }
            .map { member in
                let name = Self.labels[member.name] ?? member.name.replacing("_", with: " ")
                if let pair = member.value.object, let old = pair["from"], let new = pair["to"] {
                    let value = text(new, of: member.name)
                    // What is new has no value before.
                    var values: [String: Any] = ["name": name, "isPair": !isCreation, "to": value]
                    values["toInstant"] = Self.instant(new)
                    if !isCreation {
                        values["from"] = text(old, of: member.name)
                        values["fromInstant"] = Self.instant(old)
                    }
                    return values
                }
                var values: [String: Any] = ["name": name, "isPair": false]
                values["to"] = text(member.value, of: member.name)
                values["toInstant"] = Self.instant(member.value)
                return values
            }
    }

    /// The user whom the event is about, as an actor.
    var user: String? { object?["user"]?.string.map { ActorKind.member.actor($0) } }

    private var object: JSONObject? { (try? JSONValue(parsing: event.changes.utf8))?.object }

    private var isCreation: Bool { event.type == "created" || event.type.hasSuffix(".created") }

    /// The members that have another name for people, which is that of the field in forms.
    private static let labels = [
        "kind": "type", "expires_at": "ends", "ends_at": "ends", "allowed_ips": "allowed addresses",
        "allowed_namespaces": "namespaces", "rate_limit_per_minute": "requests per minute",
        "rate_limit_per_hour": "requests per hour", "grace_period_seconds": "grace period", "prefix": "token",
        "user": "member", "member_scopes": "scopes of members", "leak_action": "leaked token",
        "expiry_notice_days": "days before the end of a key", "unused_after_days": "days without a use",
    ]

    /// Returns true for a member that says something to a person.
    ///
    /// A setting that has no value from the start says nothing, and neither does an id beside a name. The files of events have all members.
    private func isShown(_ name: String, _ value: JSONValue, in object: JSONObject) -> Bool {
        switch name {
        case "member", "session": return false
        case "user": return object["email"] == nil
        case "webhook": return object["url"] == nil
        default: break
        }
        return switch value {
        case .null: false
        case .array(let elements): !elements.isEmpty
        default: true
        }
    }

    /// Returns the value of a member in words.
    private func text(_ value: JSONValue, of name: String) -> String {
        switch (name, value) {
        case ("user", .string(let id)): return KeyView.actor(ActorKind.member.actor(id), names)
        case ("subject", .string(let subject)): return names[ActorKind.member.actor(subject)] ?? subject
        case ("webhook", .string(let id)): return "…\(id.suffix(6))"
        case ("kind", .string(let kind)): return KeyKind(rawValue: kind).map { KeyView.name($0).lowercased() } ?? kind
        case ("grace_period_seconds", _): return Int(value.text).map(Self.duration) ?? value.text
        default: return Self.plain(value)
        }
    }

    /// Returns an instant as a script reads it, which shows it in the reader's zone; `nil` for another value.
    private static func instant(_ value: JSONValue) -> String? {
        value.string.flatMap { Timestamp(rfc3339: $0) }?.rfc3339
    }

    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .null: "none"
        case .string(let text): Timestamp(rfc3339: text).map { "\(TimeView.short($0)) UTC" } ?? text
        case .array(let elements): elements.isEmpty ? "none" : elements.map(plain).joined(separator: ", ")
        default: value.text
        }
    }

    /// Returns a length of time in the largest unit of which it is a whole number, such as "7 days".
    private static func duration(_ seconds: Int) -> String {
        switch seconds {
        case 0: "none"
        case let seconds where seconds % 86_400 == 0: NumberText.counted(seconds / 86_400, "day")
        case let seconds where seconds % 3600 == 0: NumberText.counted(seconds / 3600, "hour")
        case let seconds where seconds % 60 == 0: NumberText.counted(seconds / 60, "minute")
        default: NumberText.counted(seconds, "second")
        }
    }
}
