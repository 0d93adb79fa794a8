/// What a key's life has come to.
///
/// Nothing stores it: it follows from a ``KeyLifecycle`` and the time.
public enum KeyStatus: String, Sendable, Hashable, CaseIterable {
    /// It works.
    case active
    /// It is switched off until somebody switches it on.
    case disabled
    /// It works until its grace period ends.
    case deprecated
    /// Its time is over.
    case expired
    /// It is withdrawn for good.
    case revoked

    /// Whether keys of this status work.
    public var isUsable: Bool {
        switch self {
        case .active, .deprecated: true
        case .disabled, .expired, .revoked: false
        }
    }
}
