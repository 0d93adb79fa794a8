package import Keys

extension KeyService {
    /// Returns the faults of a draft that can be found without the database.
    ///
    /// A form with a fault of its own does not reach ``create(_:in:by:answer:)``, and must have these faults beside it.
    ///
    /// - Parameters:
    ///   - draft: The settings of the new key.
    ///   - keys: The collection that the key would belong to.
    ///   - now: The time of the request, by the database's clock.
    /// - Returns: All faults; empty if none is found.
    package func faults(of draft: KeyDraft, in keys: KeyCollection, at now: Timestamp) -> [InvalidField] {
        let draft = (try? draft.resolved(in: keys)) ?? draft
        return KeyRules(draft, in: keys).faults + Self.faults(of: draft.expiry, at: now)
    }

    /// Returns the faults of a change of settings that can be found without the database.
    ///
    /// - Parameters:
    ///   - patch: The change.
    ///   - keys: The collection that the key belongs to.
    ///   - now: The time of the request, by the database's clock.
    /// - Returns: All faults; empty if none is found.
    package func faults(of patch: KeyPatch, in keys: KeyCollection, at now: Timestamp) -> [InvalidField] {
        let faults = KeyRules(patch, in: keys).faults
        guard case .set(let expiry) = patch.expiry else { return faults }
        return faults + Self.faults(of: expiry, at: now)
    }

    /// Returns the faults of the reason of a revocation.
    ///
    /// - Parameter reason: The reason.
    /// - Returns: All faults; empty if none is found.
    package static func faults(ofReason reason: String?) -> [InvalidField] {
        var rules = KeyRules()
        rules.check(reason: reason)
        return rules.faults
    }

    private static func faults(of expiry: KeyExpiry, at now: Timestamp) -> [InvalidField] {
        do throws(Refusal) {
            try expiry.requireFuture(now)
            return []
        } catch {
            guard case .invalid(let faults) = error else { return [] }
            return faults
        }
    }
}
