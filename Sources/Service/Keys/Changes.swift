import JSON
import Keys

/// What an event says about its change: members by name, each with the value, or with `from` and `to`.
struct Changes {
    private var members: [(String, JSONValue)] = []

    init() {}

    /// What a new key starts with; metadata is the owner's own and stays out of the log.
    init(created draft: KeyDraft) {
        add("kind", .string(draft.kind.rawValue))
        add("mode", .string(draft.mode.rawValue))
        add("subject", draft.subject.json)
        add("type", draft.type.json)
        add("created_by", draft.createdBy.json)
        add("scopes", draft.scopes.map(\.text).json)
        if !draft.permissions.names.isEmpty { add("permissions", draft.permissions.names.json) }
        if let namespaces = draft.allowedNamespaces { add("allowed_namespaces", namespaces.json) }
        if !draft.allowedAddresses.isEmpty { add("allowed_ips", draft.allowedAddresses.map(\.description).json) }
        if let limit = draft.rateLimitPerMinute { add("rate_limit_per_minute", limit.json) }
        if let limit = draft.rateLimitPerHour { add("rate_limit_per_hour", limit.json) }
        if let end = draft.expiresAt { add("expires_at", end.json) }
    }

    var isEmpty: Bool { members.isEmpty }

    mutating func add(_ name: String, _ value: JSONValue) {
        if value != .null { members.append((name, value)) }
    }

    mutating func add(_ name: String, from old: JSONValue, to new: JSONValue) {
        members.append((name, .object([("from", old), ("to", new)])))
    }

    /// Sets a value, and notes it if it differs.
    mutating func set<Value: Equatable & Sendable>(
        _ name: String,
        _ stored: inout Value,
        _ setting: Setting<Value>,
        _ json: (Value) -> JSONValue
    ) {
        guard case .set(let value) = setting, value != stored else { return }
        let (old, new) = (json(stored), json(value))
        members.append((name, old == new ? new : .object([("from", old), ("to", new)])))
        stored = value
    }

    /// The members as a JSON object.
    var text: String { JSONValue.object(members).text }
}

extension Setting {
    func map<Other: Sendable>(_ convert: (Value) -> Other) -> Setting<Other> {
        switch self {
        case .keep: .keep
        case .set(let value): .set(convert(value))
        }
    }
}

extension JSONValue {
    static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(JSONObject(members))
    }

}

extension Timestamp {
    var json: JSONValue { .string(rfc3339) }
}

extension [String] {
    var json: JSONValue { .array(map { .string($0) }) }
}

extension Int {
    var json: JSONValue { .integer(Int64(self)) }
}

extension Optional where Wrapped == String {
    var json: JSONValue { map { .string($0) } ?? .null }
}

extension Optional where Wrapped == Int {
    var json: JSONValue { self?.json ?? .null }
}

extension Optional where Wrapped == Timestamp {
    var json: JSONValue { self?.json ?? .null }
}
