import JSON
import KeyStore
import Keys

extension KeyRecord {
    /// Applies a patch at an instant.
    ///
    /// - Returns: The members that really changed.
    mutating func apply(_ patch: KeyPatch, at now: Timestamp) -> EventChanges {
        var changes = EventChanges()
        changes.set("name", &name, patch.name)
        // A unique name stays unique under its new spelling.
        if uniqueName != nil { uniqueName = name }
        if case .set(let subject) = patch.subject { changes.set("subject", &self.subject, .set(subject)) }
        changes.set("description", &description, patch.description)
        changes.set("scopes", &scopes, patch.scopes.map { $0.map(\.text) })
        changes.set("permissions", &permissions, patch.permissions.map(\.names))
        changes.set("allowed_namespaces", &allowedNamespaces, patch.allowedNamespaces)
        changes.set("allowed_ips", &allowedAddresses, patch.allowedAddresses.map { $0.map(\.description) })
        changes.set("rate_limit_per_minute", &rateLimitPerMinute, patch.rateLimitPerMinute)
        changes.set("rate_limit_per_hour", &rateLimitPerHour, patch.rateLimitPerHour)
        changes.set("expires_at", &expiresAt, patch.expiry.map { $0.instant(from: now) })
        // Metadata and claims are the owner's data and stay out of the log.
        changes.setSilently("metadata", &metadata, patch.metadata)
        changes.setSilently("claims", &claims, patch.claims.map { $0?.storedText })
        return changes
    }
}

extension EventChanges {
    /// Sets a value, and adds it before and after the change if it differs.
    fileprivate mutating func set<Value: EventValue & Equatable>(
        _ name: String,
        _ stored: inout Value,
        _ setting: Setting<Value>
    ) {
        guard case .set(let value) = setting, value != stored else { return }
        add(name, from: stored, to: value)
        stored = value
    }

    /// Sets a value, and adds that it changed.
    fileprivate mutating func setSilently<Value: Equatable>(
        _ name: String,
        _ stored: inout Value,
        _ setting: Setting<Value>
    ) {
        guard case .set(let value) = setting, value != stored else { return }
        add(name, "changed")
        stored = value
    }
}

extension Setting {
    fileprivate func map<Other: Sendable>(_ convert: (Value) -> Other) -> Setting<Other> {
        switch self {
        case .keep: .keep
        case .set(let value): .set(convert(value))
        }
    }
}

extension JSONValue {
    /// The text that the database stores; `nil` for null.
    var storedText: String? { isNull ? nil : text }
}
