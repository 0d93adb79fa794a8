import Endpoints
import FoundationEssentials
import JSON
import Keys
import Service
import Surfaces

/// Turns validated request bodies into drafts and changes of keys.
enum KeyInput {
    /// Returns the draft of a new key.
    static func draft(_ body: Fields, _ family: KeyFamily) throws -> KeyDraft {
        let mode: String? = try body.optional("mode")
        var draft = KeyDraft(
            name: try body.required("name"),
            description: try body.optional("description"),
            kind: try kind(body, family),
            mode: mode.flatMap(KeyMode.init(rawValue:)),
            scopes: try body.optional("scopes", as: [String].self).map(scopes) ?? [],
            permissions: try permissions(try body.optional("permissions")) ?? family.defaultPermissions,
            allowedNamespaces: try body.optional("allowed_namespaces"),
            allowedAddresses: try body.optional("allowed_ips", as: [String].self).map(addresses) ?? [],
            rateLimitPerMinute: try body.optional("rate_limit_per_minute"),
            rateLimitPerHour: try body.optional("rate_limit_per_hour"),
            expiresAt: try body.optional("expires_at").flatMap(Timestamp.init(rfc3339:)),
            metadata: try body.optional("metadata", as: JSONObject.self).map { JSONValue.object($0).text } ?? "{}"
        )
        if family == .client { draft.subject = try body.required("subject") }
        return draft
    }

    /// Returns a change of a key.
    ///
    /// An absent member stays as it is, `null` clears it: lists and metadata are empty then.
    static func patch(_ body: Fields) throws -> KeyPatch {
        var patch = KeyPatch()
        patch.name = try body.change("name").setting
        patch.description = try body.change("description").clearable
        patch.scopes = try body.change("scopes", as: [String].self).map(scopes).setting(clearedTo: [])
        patch.permissions = try body.change("permissions", as: [String].self).map { try permissions($0) ?? [] }
            .setting(clearedTo: [])
        patch.allowedNamespaces = try body.change("allowed_namespaces").clearable
        patch.allowedAddresses = try body.change("allowed_ips", as: [String].self).map(addresses).setting(clearedTo: [])
        patch.rateLimitPerMinute = try body.change("rate_limit_per_minute").clearable
        patch.rateLimitPerHour = try body.change("rate_limit_per_hour").clearable
        patch.expiry = try body.change("expires_at", as: String.self).map { KeyExpiry.at(try instant($0)) }
            .setting(clearedTo: .never)
        patch.metadata = try body.change("metadata", as: JSONObject.self).map { JSONValue.object($0).text }
            .setting(clearedTo: "{}")
        return patch
    }

    /// Returns the grace period, 24 hours by default.
    static func grace(_ body: Fields) throws -> GracePeriod {
        guard let seconds: Int = try body.optional("grace_period_seconds") else { return .default }
        guard let grace = GracePeriod(seconds: seconds) else { throw FieldMismatch(name: "grace_period_seconds") }
        return grace
    }

    private static func kind(_ body: Fields, _ family: KeyFamily) throws -> KeyKind {
        switch family {
        case .service: try body.optional("type").flatMap(KeyKind.init(rawValue:)) ?? .service
        case .client: .client
        case .admin: .admin
        case .operator: .operator
        }
    }

    private static func permissions(_ names: [String]?) throws -> PermissionSet? {
        guard let names else { return nil }
        guard let permissions = PermissionSet(names: names) else { throw FieldMismatch(name: "permissions") }
        return permissions
    }

    private static func scopes(_ texts: [String]) throws -> [Scope] {
        try ScopeSet(texts.map { try Scope(validating: $0) }).scopes
    }

    private static func addresses(_ texts: [String]) throws -> [AddressRange] {
        try texts.map { try AddressRange($0) }
    }

    private static func instant(_ text: String) throws -> Timestamp {
        guard let instant = Timestamp(rfc3339: text) else { throw FieldMismatch(name: "expires_at") }
        return instant
    }
}

extension Change {
    /// The setting of a member that cannot be null.
    fileprivate var setting: Setting<Value> {
        if case .set(let value) = self { .set(value) } else { .keep }
    }

    /// The setting of a member that null clears.
    fileprivate var clearable: Setting<Value?> {
        switch self {
        case .keep: .keep
        case .clear: .set(nil)
        case .set(let value): .set(value)
        }
    }

    /// Returns the setting of a member for which null means `value`.
    fileprivate func setting(clearedTo value: Value) -> Setting<Value> {
        if case .clear = self { .set(value) } else { setting }
    }
}
