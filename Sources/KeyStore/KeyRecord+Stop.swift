public import Keys

extension KeyRecord {
    /// The part of a key that the end or a pause of its use changes.
    ///
    /// Nothing else is written of keys that are stopped together, so those with the same values take one statement.
    public struct Stop: Sendable, Hashable {
        /// The time at which the key was disabled; `nil` while it is enabled.
        public var disabledAt: Timestamp?
        /// The time at which the key was revoked.
        public var revokedAt: Timestamp?
        /// The actor that revoked the key.
        public var revokedBy: String?
        /// The reason for the revocation.
        public var revocationReason: String?
        /// True if other keys may have the name from now on.
        public var freesName = false
    }

    /// The part of the key that a stop changes.
    public var stop: Stop {
        get {
            Stop(
                disabledAt: disabledAt,
                revokedAt: revokedAt,
                revokedBy: revokedBy,
                revocationReason: revocationReason
            )
        }
        set {
            disabledAt = newValue.disabledAt
            revokedAt = newValue.revokedAt
            revokedBy = newValue.revokedBy
            revocationReason = newValue.revocationReason
            if newValue.freesName { uniqueName = nil }
        }
    }
}
