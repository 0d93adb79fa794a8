import FoundationEssentials
import KeyStore
import Keys
import Verification

/// What a key of a workspace cannot exceed in the keys that it makes or changes.
///
/// Whoever comes by a key must not be able to make a stronger one of it, or one that outlives it, or to keep a stronger one alive.
struct WorkspaceKeyBounds {
    private let state: KeyState
    private let readAt: Timestamp

    /// The bounds of a principal; `nil` for one that is no key of a workspace.
    init?(_ principal: Principal) {
        guard let found = principal.workspaceKey?.found else { return nil }
        state = found.state
        readAt = found.readAt
    }

    /// The draft with the key's own restrictions where it names none, and no higher limits.
    ///
    /// - Throws: `Refusal.forbiddenKind` where it asks for more than the key has.
    func settle(_ draft: KeyDraft) throws(Refusal) -> KeyDraft {
        var draft = draft
        draft.mode = state.mode
        draft.allowedNamespaces = draft.allowedNamespaces ?? state.namespaces.allowed
        if draft.allowedAddresses.isEmpty { draft.allowedAddresses = state.addressRanges }
        let limits = state.rateLimits
        draft.rateLimitPerMinute = Self.lower(draft.rateLimitPerMinute, limits.perMinute)
        draft.rateLimitPerHour = Self.lower(draft.rateLimitPerHour, limits.perHour)
        let end = draft.lifetime.map { readAt + $0 } ?? draft.expiresAt
        if end == nil { draft.expiresAt = state.endsAt }
        try check(scopes: draft.scopes)
        try check(namespaces: draft.allowedNamespaces)
        try check(addresses: draft.allowedAddresses)
        try check(end: end ?? state.endsAt)
        return draft
    }

    /// Refuses to leave a key behind that is more than this one.
    func check(_ key: KeyRecord) throws(Refusal) {
        guard key.mode == state.mode else { throw Self.exceeded("modes") }
        try check(scopes: key.scopes.map(Scope.init(freeForm:)))
        try check(namespaces: key.allowedNamespaces)
        try check(addresses: key.allowedAddresses.compactMap { try? AddressRange($0) })
        try check(limit: key.rateLimitPerMinute, state.rateLimits.perMinute)
        try check(limit: key.rateLimitPerHour, state.rateLimits.perHour)
        try check(end: key.lifecycle.endsAt)
    }

    private func check(scopes: [Scope]) throws(Refusal) {
        guard state.scopes.covers(scopes) else { throw Self.exceeded("scopes") }
    }

    private func check(namespaces: [String]?) throws(Refusal) {
        guard state.namespaces.allowed != nil else { return }
        // An empty list is the default namespace alone.
        guard let namespaces,
            (namespaces.isEmpty ? [NamespaceRule.defaultNamespace] : namespaces)
                .allSatisfy(state.namespaces.allows)
        else {
            throw Self.exceeded("namespaces")
        }
    }

    private func check(addresses: [AddressRange]) throws(Refusal) {
        guard !state.addressRanges.isEmpty else { return }
        let isWithin = addresses.allSatisfy { range in state.addressRanges.contains { $0.contains(range) } }
        guard !addresses.isEmpty, isWithin else { throw Self.exceeded("addresses") }
    }

    private func check(limit: Int?, _ own: Int?) throws(Refusal) {
        guard let own else { return }
        guard let limit, limit <= own else { throw Self.exceeded("uses") }
    }

    private func check(end: Timestamp?) throws(Refusal) {
        guard let own = state.endsAt else { return }
        guard let end, end <= own else { throw Self.exceeded("time") }
    }

    /// The lower of two limits, where `nil` is none.
    private static func lower(_ limit: Int?, _ own: Int?) -> Int? {
        guard let limit, let own else { return limit ?? own }
        return min(limit, own)
    }

    private static func exceeded(_ what: String) -> Refusal {
        .forbiddenKind("A key cannot give another one more \(what) than it has itself.")
    }
}

extension VerifiedKey {
    /// How events name it.
    var actor: String {
        let id = UUIDv7.text(of: found.state.keyID)
        return found.state.kind == .client ? "client-key:\(id)" : "service-key:\(id)"
    }
}
