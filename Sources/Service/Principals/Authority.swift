import FoundationEssentials
import KeyStore
import Keys
import People
import Verification

/// The most that a caller can give to keys of one owner, and the changes of keys that the caller can make.
///
/// Nothing makes something stronger than itself. ``KeyChange`` asks this type before it writes any key, whichever use
/// case and dialect the change comes from.
///
/// - A credential bounds keys of its own kind in everything: permissions, scopes, mode, namespaces, addresses, limits and
///   end. Keys that administration makes for others are bounded in the mode alone.
/// - A key in test mode deletes no live key.
/// - A replaced secret and a deprecated key disable and revoke, and change nothing else.
/// - A restriction that a caller of a higher rank set can be loosened only by a caller of that rank.
struct Authority {
    /// The rank of a caller over a client key or an admin key.
    enum Rank: String, Comparable {
        /// The key's own subject: a member, a session of the application, or a client key of the subject.
        case subject
        /// A service key of the workspace.
        case service
        /// An admin key, or a member with the permission over all keys.
        case administrator
        /// An operator, over the admin keys of an organization.
        case platform

        private var order: Int {
            switch self {
            case .subject: 0
            case .service: 1
            case .administrator: 2
            case .platform: 3
            }
        }

        static func < (one: Rank, other: Rank) -> Bool { one.order < other.order }
    }

    /// The bounds of the keys that the caller writes.
    private enum Extent {
        case unlimited
        /// Keys of the credential's own kind.
        case ownKind(KeyBounds)
        /// Keys for others.
        case mode(KeyMode)
    }

    let rank: Rank
    private let extent: Extent
    /// The permissions that a key can have; `nil` if they have no bound.
    private let permissions: PermissionSet?
    /// The scopes that the caller can give; `nil` if only the extent bounds them.
    private let ceiling: ScopeCeiling?
    private let isRetired: Bool
    private let isKeyOfWorkspace: Bool

    /// Creates the authority of a principal.
    ///
    /// - Parameters:
    ///   - principal: The principal, with its permissions at this moment.
    ///   - owner: The owner of the keys.
    ///   - workspace: The workspace of the keys; `nil` in the control database.
    ///   - memberScopes: The scopes that the workspace lets members give to their own keys.
    init(_ principal: Principal, over owner: KeyOwner, workspace: UUID?, memberScopes: [String]?) {
        var rank = Rank.administrator
        var extent = Extent.unlimited
        var ceiling: ScopeCeiling?
        switch principal.identity {
        case .system: break
        case .key(let key):
            extent = principal.isOwnKind(owner) ? .ownKind(key.bounds) : .mode(key.bounds.mode)
            if case .organization = owner, principal.reach == .platform { rank = .platform }
        case .workspaceKey(let key):
            rank = key.found.subject == nil ? .service : .subject
            extent = .ownKind(KeyBounds(key.found.state))
        case .member:
            guard case .clients = owner, let workspace, !principal.administersKeys(in: workspace) else { break }
            rank = .subject
            ceiling = ScopeCeiling(ofMembers: memberScopes)
        case .external:
            rank = .subject
            ceiling = ScopeCeiling.none
        }
        self.rank = rank
        self.extent = extent
        self.ceiling = ceiling
        // An organization without any working credential gets in again by an operator key, so that key has no bound.
        let isBound = if case .organization = owner { principal.reach != .platform } else { owner == .platform }
        permissions = isBound ? principal.permissions : nil
        isRetired = principal.isRetired
        isKeyOfWorkspace = principal.workspaceKey != nil
    }

    // MARK: Decisions

    /// Throws if the caller cannot change a key at all.
    ///
    /// Unknown permissions count as all of them.
    func requireControl(of key: KeyRecord) throws(Refusal) {
        guard let permissions else { return }
        let needed = PermissionSet(names: key.permissions) ?? .organization
        for permission in needed.permissions where !permissions.contains(permission) { throw .forbidden(permission) }
    }

    /// Throws if the caller cannot create a key.
    func requireCreation(of key: KeyRecord) throws(Refusal) {
        try requireCurrent()
        try requireWithin(key)
        try ceiling?.require(key.scopes, besides: [])
    }

    /// Throws if the caller cannot get the token of a key again.
    ///
    /// The key can have been changed since the first request, also by somebody with more rights.
    func requireReplay(of key: KeyRecord) throws(Refusal) {
        try requireCurrent()
        try requireWithin(key)
    }

    /// Throws if the caller cannot give a key a new secret, or replace the key by another one.
    ///
    /// A key of a workspace can change keys of other subjects, and a rotation would hand it their tokens.
    func requireRotation(of old: KeyRecord, to new: KeyRecord) throws(Refusal) {
        guard !isKeyOfWorkspace else { throw .forbiddenKind("A key cannot rotate another key.") }
        try requireCurrent()
        try requireWithin(new)
        try requireHeld(old, new)
        try ceiling?.require(new.scopes, besides: old.scopes)
    }

    /// Throws if the caller cannot change a key in this way.
    func requireChange(from old: KeyRecord, to new: KeyRecord) throws(Refusal) {
        let isEnabled = old.disabledAt != nil && new.disabledAt == nil
        let isChanged = !new.hasSettings(of: old) || isEnabled
        if isChanged || new.deprecatedAt != old.deprecatedAt || new.gracePeriodEndsAt != old.gracePeriodEndsAt {
            try requireCurrent()
        }
        guard isChanged else { return }
        // A key of a higher rank would be kept alive by a change, even by one within the bounds.
        try requireWithin(new)
        try requireHeld(old, new)
        try ceiling?.require(new.scopes, besides: old.scopes)
    }

    /// Throws if the caller cannot delete a key.
    ///
    /// A key in test mode stops live keys, which can be undone or leaves the key to look at. A deletion leaves neither.
    func requireDeletion(of key: KeyRecord) throws(Refusal) {
        try requireCurrent()
        guard mode == .live || key.mode == .test else { throw Self.exceeded(.mode) }
    }

    /// The mode of the credential; `live` for one that has none.
    private var mode: KeyMode {
        switch extent {
        case .unlimited: .live
        case .ownKind(let bounds): bounds.mode
        case .mode(let mode): mode
        }
    }

    private func requireCurrent() throws(Refusal) {
        if isRetired { throw Principal.retired }
    }

    private func requireWithin(_ key: KeyRecord) throws(Refusal) {
        try requireControl(of: key)
        switch extent {
        case .unlimited: return
        case .mode(let mode):
            guard mode == .live || key.mode == .test else { throw Self.exceeded(.mode) }
        case .ownKind(let bounds):
            // Scopes belong to applications, whose keys are those of workspaces.
            let settings = KeyBounds.Restriction.allCases.filter { $0 != .scopes || key.isOfWorkspace }
            if let excess = bounds.firstExcess(of: key, in: settings) { throw Self.exceeded(excess) }
        }
    }

    private static func exceeded(_ setting: KeyBounds.Restriction) -> Refusal {
        guard setting != .mode else {
            return .forbiddenKind("A key in test mode cannot create, change, enable or delete a live key.")
        }
        return .forbiddenKind("A key cannot give another key more \(setting.noun) than it has itself.")
    }
}

// MARK: Drafts

extension Authority {
    /// Returns a key with the caller's own restrictions where it names none, and without higher limits.
    ///
    /// - Parameters:
    ///   - key: The key to be created.
    ///   - mode: The mode that the request names; `nil` takes the caller's.
    /// - Returns: The key, which can still have more than the caller can give.
    func bounded(_ key: KeyRecord, mode: KeyMode?) -> KeyRecord {
        var key = key
        switch extent {
        case .unlimited: key.mode = mode ?? .live
        case .mode(let own): key.mode = mode ?? own
        case .ownKind(let bounds):
            key.mode = mode ?? bounds.mode
            key.allowedNamespaces = key.allowedNamespaces ?? bounds.namespaces.allowed
            if key.allowedAddresses.isEmpty { key.allowedAddresses = bounds.addresses.map(\.description) }
            key.rateLimitPerMinute = KeyBounds.tighter(key.rateLimitPerMinute, bounds.limits.perMinute)
            key.rateLimitPerHour = KeyBounds.tighter(key.rateLimitPerHour, bounds.limits.perHour)
            key.expiresAt = key.expiresAt ?? bounds.endsAt
        }
        return key
    }
}

extension KeyRecord {
    /// True for a key of a workspace, false for one of an organization or of the platform.
    fileprivate var isOfWorkspace: Bool {
        switch kind {
        case .admin, .operator: false
        case .service, .anon, .client: true
        }
    }
}
