/// What a rotation does to the secrets of a key: it never lengthens a life, and it never follows a revocation.
public enum RotationRule {
    /// When the secret that was the newest ends, once a new one has taken its place.
    ///
    /// Whatever is older still ends at once; that is the caller's to write. The new secret has no end of its own,
    /// because the key's end holds for it.
    ///
    /// - Parameters:
    ///   - secret: The lifetime of the secret that is replaced.
    ///   - lifecycle: The key's life.
    ///   - grace: How long the old secret goes on working.
    ///   - now: The database's time.
    /// - Returns: An end no later than the secret had before.
    /// - Throws: ``RotationFault/revoked`` for a revoked key, which stays as it is.
    public static func endOfReplacedSecret(
        _ secret: SecretLifetime,
        of lifecycle: KeyLifecycle,
        grace: GracePeriod,
        at now: Timestamp
    ) throws(RotationFault) -> GraceEnd {
        guard lifecycle.revokedAt == nil else { throw .revoked }
        if secret.isEnded || lifecycle.isEnded { return .atOnce }
        return grace.end(from: now, notAfter: earlier(secret.endsAt, lifecycle.endsAt))
    }

    /// When a key ends that is deprecated at `now`: never later than it would have.
    ///
    /// - Throws: ``RotationFault/revoked`` for a revoked key, which stays as it is.
    public static func endOfDeprecatedKey(
        _ lifecycle: KeyLifecycle,
        grace: GracePeriod,
        at now: Timestamp
    ) throws(RotationFault) -> GraceEnd {
        try endOfReplacedSecret(SecretLifetime(), of: lifecycle, grace: grace, at: now)
    }
}

/// Why a key cannot be rotated or deprecated.
public enum RotationFault: Error, Sendable, Hashable {
    /// It is revoked, and that is final.
    case revoked
}
