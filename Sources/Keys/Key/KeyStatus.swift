/// The status of a key, which is derived from a ``KeyLifecycle`` and the time, and never stored.
public enum KeyStatus: String, Sendable, Hashable, CaseIterable {
    /// The key works.
    case active
    /// The key is disabled until it is enabled again.
    case disabled
    /// The key works until its grace period ends.
    case deprecated
    /// The key has reached its end.
    case expired
    /// The key is revoked, which is final.
    case revoked

    /// True if a key of this status works.
    public var isUsable: Bool {
        switch self {
        case .active, .deprecated: true
        case .disabled, .expired, .revoked: false
        }
    }
}
