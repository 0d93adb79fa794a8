/// The rules for the ends of secrets and keys when a key is rotated or deprecated.
///
/// A rotation never makes a life longer, and a revoked key is never rotated.
package enum RotationRule {
    /// Returns the end of the newest secret when a new secret replaces it.
    ///
    /// Older secrets end at once, which is for the caller to write. The new secret has no end of its own, because the key's
    /// end applies to it.
    ///
    /// - Parameters:
    ///   - secret: The lifetime of the secret that is replaced.
    ///   - lifecycle: The lifecycle of the key.
    ///   - grace: The time for which the old secret keeps working.
    ///   - now: The database's time.
    /// - Returns: An end that is not later than the secret's end before.
    /// - Throws: ``RotationFault/revoked`` if the key is revoked.
    package static func endOfReplacedSecret(
        _ secret: SecretLifetime,
        of lifecycle: KeyLifecycle,
        grace: GracePeriod,
        at now: Timestamp
    ) throws(RotationFault) -> GraceEnd {
        guard lifecycle.revokedAt == nil else { throw .revoked }
        if secret.isEnded || lifecycle.isEnded { return .atOnce }
        return grace.end(from: now, notAfter: earlier(secret.endsAt, lifecycle.endsAt))
    }

    /// Returns the end of a key that is deprecated at `now`, which is never later than its end before.
    ///
    /// - Parameters:
    ///   - lifecycle: The lifecycle of the key.
    ///   - grace: The time for which the key keeps working.
    ///   - now: The database's time.
    /// - Returns: An end that is not later than the key's end before.
    /// - Throws: ``RotationFault/revoked`` if the key is revoked.
    package static func endOfDeprecatedKey(
        _ lifecycle: KeyLifecycle,
        grace: GracePeriod,
        at now: Timestamp
    ) throws(RotationFault) -> GraceEnd {
        try endOfReplacedSecret(SecretLifetime(), of: lifecycle, grace: grace, at: now)
    }
}

/// A reason why a key cannot be rotated or deprecated.
package enum RotationFault: Error, Sendable, Hashable {
    /// The key is revoked, which is final.
    case revoked
}
