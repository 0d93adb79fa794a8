public import FoundationEssentials
public import KeyStore
package import Keys

extension KeyService {
    /// Changes a key's settings.
    ///
    /// Enabling or disabling has an event of its own beside the one of the change.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - patch: The change.
    ///   - known: The key as the caller knows it. Defaults to `nil`: the change holds whatever the key is now.
    ///   - keys: The collection that contains the key.
    ///   - caller: The caller.
    /// - Returns: The key.
    /// - Throws: `ChangedMeanwhile` if the key is not as the caller knows it, `Refusal`, or the database's errors.
    public func update(
        _ id: UUID,
        _ patch: KeyPatch,
        ifStill known: KeyRecord? = nil,
        in keys: KeyCollection,
        by caller: Caller
    ) async throws -> KeyRecord {
        try KeyRules(patch, in: keys).enforce()
        if case .set(let subject) = patch.subject { try keys.requireSubject(subject) }
        let lane: ServiceDependencies.Lane = if case .set(false) = patch.isEnabled { .stops } else { .changes }
        return try await changes.modify(id, in: keys, by: caller, lane, restricting: patch.restrictions) {
            key,
            change in
            let now = change.now
            if let known { try ChangedMeanwhile.require(known.updatedAt, isStill: key.updatedAt) }
            try key.requireNotRevoked("changed")
            if case .set(let expiry) = patch.expiry { try expiry.requireFuture(now) }
            var events: [(type: EventType, changes: EventChanges)] = []
            let changes = key.apply(patch, at: now)
            if !changes.isEmpty { events.append((.updated, changes)) }
            if case .set(let isEnabled) = patch.isEnabled, isEnabled != (key.disabledAt == nil) {
                key.disabledAt = isEnabled ? nil : now
                events.append((isEnabled ? .enabled : .disabled, EventChanges()))
            }
            return events
        }
    }

    /// Disables a key until it is enabled again.
    ///
    /// Disabling a disabled key changes nothing.
    ///
    /// - Throws: `Refusal`, or the database's errors.
    public func disable(_ id: UUID, in keys: KeyCollection, by caller: Caller) async throws -> KeyRecord {
        try await changes.modify(id, in: keys, by: caller, .stops, restricting: [Authority.enabled]) { key, change in
            let (stop, events) = try Self.disabling(key, change)
            key.stop = stop
            return events
        }
    }

    /// Disables several keys, all of them or none.
    ///
    /// - Parameters:
    ///   - ids: The keys, 1 to ``largestBatch``, each named once.
    ///   - keys: The collection that contains the keys.
    ///   - caller: The caller.
    /// - Returns: The keys, in the order of the ids.
    /// - Throws: `Refusal.ofKeys` if the change of a key is refused, `Refusal`, or the database's errors.
    public func disable(_ ids: [UUID], in keys: KeyCollection, by caller: Caller) async throws -> [KeyRecord] {
        try Self.requireBatch(ids)
        return try await changes.stop(ids, in: keys, by: caller, restricting: [Authority.enabled]) { key, change in
            try Self.disabling(key, change)
        }
    }

    /// The maximum number of keys that one change stops.
    public static let largestBatch = 100

    private static func requireBatch(_ ids: [UUID]) throws(Refusal) {
        guard (1...largestBatch).contains(ids.count), Set(ids).count == ids.count else {
            throw .invalid([InvalidField(pointer: "/ids", detail: "Must be 1 to \(largestBatch) different keys.")])
        }
    }

    private static func disabling(_ key: KeyRecord, _ change: KeyChange) throws -> KeyChanges.Stop {
        try key.requireNotRevoked("disabled")
        var stop = key.stop
        if stop.disabledAt != nil { return (stop, []) }
        stop.disabledAt = change.now
        return (stop, [(.disabled, EventChanges())])
    }

    /// Enables a key.
    ///
    /// It does not bring back a key that has expired.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - known: The key as the caller knows it. Defaults to `nil`: it is enabled whatever the key is now.
    ///   - keys: The collection that contains the key.
    ///   - caller: The caller.
    /// - Returns: The key.
    /// - Throws: `ChangedMeanwhile` if the key is not as the caller knows it, `Refusal`, or the database's errors.
    public func enable(
        _ id: UUID,
        ifStill known: KeyRecord? = nil,
        in keys: KeyCollection,
        by caller: Caller
    ) async throws -> KeyRecord {
        try await changes.modify(id, in: keys, by: caller) { key, _ in
            if let known { try ChangedMeanwhile.require(known.updatedAt, isStill: key.updatedAt) }
            try key.requireNotRevoked("enabled")
            if key.disabledAt == nil { return [] }
            key.disabledAt = nil
            return [(.enabled, EventChanges())]
        }
    }

    /// Deprecates a key: it expires after a grace period.
    ///
    /// Calling it again can shorten the grace period, never extend it.
    ///
    /// - Throws: `Refusal`, or the database's errors.
    package func deprecate(
        _ id: UUID,
        reason: String?,
        grace: GracePeriod,
        in keys: KeyCollection,
        by caller: Caller
    ) async throws -> KeyRecord {
        try KeyRules.enforce(reason: reason)
        return try await changes.modify(id, in: keys, by: caller) { key, change in
            try key.requireAlive("deprecated", at: change.now)
            return [(.deprecated, try key.deprecate(reason: reason, grace: grace, at: change.now))]
        }
    }

    /// Revokes a key for good.
    ///
    /// Its name becomes free, unless it is a client key. Revoking a revoked key changes nothing.
    ///
    /// - Throws: `Refusal`, or the database's errors.
    public func revoke(
        _ id: UUID,
        reason: String?,
        in keys: KeyCollection,
        by caller: Caller
    ) async throws -> KeyRecord {
        try KeyRules.enforce(reason: reason)
        return try await changes.modify(id, in: keys, by: caller, .stops) { key, change in
            let (stop, events) = Self.revoking(key, reason, change)
            key.stop = stop
            return events
        }
    }

    /// Revokes several keys for good, all of them or none.
    ///
    /// A key that is revoked already stays as it is.
    ///
    /// - Parameters:
    ///   - ids: The keys, 1 to ``largestBatch``, each named once.
    ///   - reason: The reason of all revocations.
    ///   - keys: The collection that contains the keys.
    ///   - caller: The caller.
    /// - Returns: The keys, in the order of the ids.
    /// - Throws: `Refusal.ofKeys` if the change of a key is refused, `Refusal`, or the database's errors.
    public func revoke(
        _ ids: [UUID],
        reason: String?,
        in keys: KeyCollection,
        by caller: Caller
    ) async throws -> [KeyRecord] {
        try KeyRules.enforce(reason: reason)
        try Self.requireBatch(ids)
        return try await changes.stop(ids, in: keys, by: caller) { key, change in Self.revoking(key, reason, change) }
    }

    private static func revoking(_ key: KeyRecord, _ reason: String?, _ change: KeyChange) -> KeyChanges.Stop {
        var stop = key.stop
        if stop.revokedAt != nil { return (stop, []) }
        stop.revokedAt = change.now
        stop.freesName = key.kind != .client
        stop.revokedBy = change.caller.principal.actor
        stop.revocationReason = reason
        var details = EventChanges()
        details.add("reason", reason)
        return (stop, [(.revoked, details)])
    }

    /// Returns when every node and the standby know that a key is gone, which a read has found.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - keys: The collection that the key belonged to.
    /// - Throws: `Refusal`, or the database's errors.
    package func confirmMissing(_ id: UUID, in keys: KeyCollection) async throws {
        try await changes.confirmMissing([id], in: keys)
    }

    /// Deletes a key.
    ///
    /// Its events stay.
    ///
    /// - Throws: `Refusal`, or the database's errors.
    public func delete(_ id: UUID, in keys: KeyCollection, by caller: Caller) async throws {
        try await changes.delete(id, in: keys, by: caller)
    }
}

extension KeyPatch {
    /// The names of the restrictions that the patch sets.
    fileprivate var restrictions: Set<String> {
        var settings: [KeyBounds.Restriction] = []
        if case .set = scopes { settings.append(.scopes) }
        if case .set = allowedNamespaces { settings.append(.namespaces) }
        if case .set = allowedAddresses { settings.append(.addresses) }
        if case .set = rateLimitPerMinute { settings.append(.perMinute) }
        if case .set = rateLimitPerHour { settings.append(.perHour) }
        if case .set = expiry { settings.append(.end) }
        var names = Set(settings.map(\.rawValue))
        if case .set(false) = isEnabled { names.insert(Authority.enabled) }
        return names
    }
}
