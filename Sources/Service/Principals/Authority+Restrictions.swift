import KeyStore
import Keys

/// The restrictions of client keys and admin keys, which keep the rank of the caller who set them.
extension Authority {
    /// The restriction that a disabled key has.
    static let enabled = "enabled"

    /// The settings of a client key that keep the rank of the caller who restricted them.
    private static let held = KeyBounds.Restriction.allCases.filter { $0 != .mode }

    /// The settings of an admin key that keep the rank of the operator who restricted them.
    ///
    /// An admin key has no use for scopes and namespaces.
    private static let heldOfAdminKeys: [KeyBounds.Restriction] = [.addresses, .perMinute, .perHour, .end]

    /// Throws if a change loosens a restriction that a caller of a higher rank set.
    func requireHeld(_ old: KeyRecord, _ new: KeyRecord) throws(Refusal) {
        let bounds = KeyBounds(old, secret: nil)
        for (name, holder) in old.holds.sorted(by: { $0.key < $1.key }) {
            let holder = Rank(rawValue: holder) ?? .administrator
            guard rank < holder else { continue }
            let isKept: Bool
            if name == Self.enabled {
                isKept = old.disabledAt == nil || new.disabledAt != nil
            } else if let setting = KeyBounds.Restriction(rawValue: name) {
                isKept = bounds.map { $0.firstExcess(of: new, in: [setting]) == nil } ?? false
            } else {
                isKept = false
            }
            guard !isKept else { continue }
            let advice =
                holder == .platform
                ? "an operator. Ask an operator to change it." : "administration. Ask an administrator to change it."
            throw .forbiddenKind("The restriction \"\(name)\" of the key was set by \(advice)")
        }
    }

    /// Returns a key with the ranks of the callers who set its restrictions.
    ///
    /// An admin key keeps only the restrictions that an operator set after its creation: the organization can create a key with the others
    /// itself.
    ///
    /// - Parameters:
    ///   - new: The key after the change.
    ///   - old: The key before the change; `nil` for a new key.
    ///   - names: The restrictions that the request sets, also those that the key has already. Otherwise a subject could
    ///     disable its own key before an administrator does, and enable it again.
    /// - Returns: The key.
    func holding(
        _ new: KeyRecord,
        after old: KeyRecord?,
        restricting names: Set<String> = []
    ) -> KeyRecord {
        let settings: [KeyBounds.Restriction]
        switch new.kind {
        case .client where rank > .subject: settings = Self.held
        case .admin where rank == .platform && old != nil: settings = Self.heldOfAdminKeys
        case .client, .admin, .service, .anon, .operator: return new
        }
        var key = new
        func hold(_ name: String, isChanged: Bool, isRestricted: Bool) {
            guard isChanged || names.contains(name) else { return }
            if let holder = key.holds[name].flatMap(Rank.init(rawValue:)), holder > rank { return }
            key.holds[name] = isRestricted ? rank.rawValue : nil
        }
        hold(
            Self.enabled,
            isChanged: (old?.disabledAt == nil) != (new.disabledAt == nil),
            isRestricted: new.disabledAt != nil
        )
        for setting in settings {
            hold(
                setting.rawValue,
                isChanged: old.map { !new.has(setting, of: $0) } ?? true,
                isRestricted: new.restricts(setting)
            )
        }
        return key
    }
}

extension KeyRecord {
    /// Returns true if a setting has the value that it has in another key.
    fileprivate func has(_ setting: KeyBounds.Restriction, of other: KeyRecord) -> Bool {
        switch setting {
        case .mode: mode == other.mode
        case .scopes: scopes == other.scopes
        case .namespaces: allowedNamespaces == other.allowedNamespaces
        case .addresses: allowedAddresses == other.allowedAddresses
        case .perMinute: rateLimitPerMinute == other.rateLimitPerMinute
        case .perHour: rateLimitPerHour == other.rateLimitPerHour
        case .end: expiresAt == other.expiresAt
        }
    }

    /// Returns true if a setting restricts the key.
    ///
    /// A list of scopes always does, because a key has only the scopes in its list.
    fileprivate func restricts(_ setting: KeyBounds.Restriction) -> Bool {
        switch setting {
        case .mode, .scopes: true
        case .namespaces: allowedNamespaces != nil
        case .addresses: !allowedAddresses.isEmpty
        case .perMinute: rateLimitPerMinute != nil
        case .perHour: rateLimitPerHour != nil
        case .end: expiresAt != nil
        }
    }

    /// Returns true if all settings have the values that they have in another key.
    func hasSettings(of other: KeyRecord) -> Bool {
        KeyBounds.Restriction.allCases.allSatisfy { has($0, of: other) }
            && name == other.name && description == other.description && permissions == other.permissions
            && subject == other.subject && metadata == other.metadata && claims == other.claims
    }
}
