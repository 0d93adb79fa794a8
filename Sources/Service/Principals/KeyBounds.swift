import FoundationEssentials
import KeyStore
import Keys

/// The settings of a key that limit what it can do, as bounds for other keys.
///
/// A key is within the bounds if it can do nothing that the bounding key cannot do.
package struct KeyBounds: Sendable {
    /// The settings that have bounds.
    enum Restriction: String, CaseIterable, Sendable {
        case mode
        case scopes
        case namespaces = "allowed_namespaces"
        case addresses = "allowed_ips"
        case perMinute = "rate_limit_per_minute"
        case perHour = "rate_limit_per_hour"
        case end = "expires_at"

        /// The setting's name in a refusal.
        var noun: String {
            switch self {
            case .mode: "modes"
            case .scopes: "scopes"
            case .namespaces: "namespaces"
            case .addresses: "addresses"
            case .perMinute, .perHour: "uses"
            case .end: "time"
            }
        }
    }

    let mode: KeyMode
    let scopes: ScopeSet
    let namespaces: NamespaceRule
    /// The addresses; empty means all.
    let addresses: [AddressRange]
    let limits: RateLimits
    /// The end of the key or of the presented secret; `nil` means never.
    let endsAt: Timestamp?
    /// True if the presented secret was replaced or its key is deprecated.
    let isRetired: Bool

    /// The bounds of a live key without restrictions.
    package static let unrestricted = KeyBounds(
        mode: .live,
        scopes: ScopeSet([.all]),
        namespaces: .unrestricted,
        addresses: [],
        limits: .unlimited,
        endsAt: nil,
        isRetired: false
    )

    private init(
        mode: KeyMode,
        scopes: ScopeSet,
        namespaces: NamespaceRule,
        addresses: [AddressRange],
        limits: RateLimits,
        endsAt: Timestamp?,
        isRetired: Bool
    ) {
        self.mode = mode
        self.scopes = scopes
        self.namespaces = namespaces
        self.addresses = addresses
        self.limits = limits
        self.endsAt = endsAt
        self.isRetired = isRetired
    }

    /// Creates the bounds of a key whose token was presented.
    init(_ state: KeyState) {
        mode = state.mode
        scopes = state.scopes
        namespaces = state.namespaces
        addresses = state.addressRanges
        limits = state.rateLimits
        endsAt = state.endsAt
        isRetired = state.secret.endsAt != nil || state.lifecycle.deprecatedAt != nil
    }

    /// Creates the bounds of a stored key and one of its secrets, or returns `nil` if a restriction cannot be read.
    init?(_ key: KeyRecord, secret: SecretRecord?) {
        var ranges: [AddressRange] = []
        for text in key.allowedAddresses {
            guard let range = try? AddressRange(text) else { return nil }
            ranges.append(range)
        }
        guard let limits = RateLimits(perMinute: key.rateLimitPerMinute, perHour: key.rateLimitPerHour) else {
            return nil
        }
        mode = key.mode
        scopes = ScopeSet(freeForm: key.scopes)
        namespaces = NamespaceRule(key.allowedNamespaces)
        addresses = ranges
        self.limits = limits
        endsAt = Self.tighter(key.lifecycle.endsAt, secret?.endsAt)
        isRetired = secret?.endsAt != nil || key.deprecatedAt != nil
    }

    /// True if the key is live, without an end, addresses and limits.
    ///
    /// A member's role has none of these restrictions, so a restricted key cannot hand them on to a member.
    var isUnrestricted: Bool { mode == .live && endsAt == nil && addresses.isEmpty && limits.isUnlimited }

    // MARK: Comparison

    /// Returns the first of some settings in which a key exceeds the bounds, or `nil`.
    func firstExcess(of key: KeyRecord, in settings: some Sequence<Restriction>) -> Restriction? {
        settings.first { !holds($0, of: key) }
    }

    private func holds(_ setting: Restriction, of key: KeyRecord) -> Bool {
        switch setting {
        case .mode: mode == .live || key.mode == .test
        case .scopes: scopes.covers(key.scopes.map(Scope.init(freeForm:)))
        case .namespaces: holds(namespaces: key.allowedNamespaces)
        case .addresses: holds(addresses: key.allowedAddresses)
        case .perMinute: Self.isWithin(key.rateLimitPerMinute, limits.perMinute)
        case .perHour: Self.isWithin(key.rateLimitPerHour, limits.perHour)
        case .end: Self.isWithin(key.lifecycle.endsAt, endsAt)
        }
    }

    private func holds(namespaces names: [String]?) -> Bool {
        guard namespaces.allowed != nil else { return true }
        guard let names else { return false }
        // An empty list means the default namespace alone.
        return (names.isEmpty ? [NamespaceRule.defaultNamespace] : names).allSatisfy(namespaces.allows)
    }

    private func holds(addresses texts: [String]) -> Bool {
        guard !addresses.isEmpty else { return true }
        let isWithin = texts.allSatisfy { text in
            guard let range = try? AddressRange(text) else { return false }
            return addresses.contains { $0.contains(range) }
        }
        return !texts.isEmpty && isWithin
    }

    private static func isWithin<Value: Comparable>(_ value: Value?, _ bound: Value?) -> Bool {
        guard let bound else { return true }
        return value.map { $0 <= bound } ?? false
    }

    /// Returns the lower of two limits or the earlier of two ends; `nil` means no limit or no end.
    static func tighter<Value: Comparable>(_ one: Value?, _ other: Value?) -> Value? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }
}
