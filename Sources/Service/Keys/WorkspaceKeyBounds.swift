import FoundationEssentials
import KeyStore
import Keys
import Verification

/// The restrictions that a key of a workspace hands on to the keys that it creates or changes.
///
/// A stolen key must not create a stronger key or one that outlives it, and must not keep a stronger key alive.
struct WorkspaceKeyBounds {
    private let state: KeyState
    private let readAt: Timestamp

    /// Creates the bounds of a principal, or `nil` if it is no key of a workspace.
    init?(_ principal: Principal) {
        guard let found = principal.workspaceKey?.found else { return nil }
        state = found.state
        readAt = found.readAt
    }

    /// Returns the draft with the key's own restrictions where it names none, and without higher limits.
    ///
    /// - Throws: `Refusal.forbiddenKind` if the draft has more than the key.
    func applied(to draft: KeyDraft) throws(Refusal) -> KeyDraft {
        var draft = draft
        draft.mode = state.mode
        draft.allowedNamespaces = draft.allowedNamespaces ?? state.namespaces.allowed
        if draft.allowedAddresses.isEmpty { draft.allowedAddresses = state.addressRanges }
        let limits = state.rateLimits
        draft.rateLimitPerMinute = Self.lower(draft.rateLimitPerMinute, limits.perMinute)
        draft.rateLimitPerHour = Self.lower(draft.rateLimitPerHour, limits.perHour)
        let end = draft.expiry.instant(from: readAt)
        if end == nil { draft.expiry = state.endsAt.map { .at($0) } ?? .never }
        try check(scopes: draft.scopes)
        try check(namespaces: draft.allowedNamespaces)
        try check(addresses: draft.allowedAddresses)
        try check(end: end ?? state.endsAt)
        return draft
    }

    /// Throws if a key has more than the credential, as a change would leave it.
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
        // An empty list means the default namespace alone.
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

    /// Returns the lower of two limits; `nil` means no limit.
    private static func lower(_ limit: Int?, _ own: Int?) -> Int? {
        guard let limit, let own else { return limit ?? own }
        return min(limit, own)
    }

    private static func exceeded(_ what: String) -> Refusal {
        .forbiddenKind("A key cannot give another key more \(what) than it has itself.")
    }
}
