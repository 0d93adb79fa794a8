/// What sort of identity a key is; fixed when the key is made.
public enum KeyKind: String, Sendable, Hashable, CaseIterable {
    /// A server's key to one workspace.
    case service
    /// A publishable key to one workspace.
    case anon
    /// A key to one workspace that belongs to a subject.
    case client
    /// A key that manages one organization.
    case admin
    /// A key that manages the platform.
    case `operator`

    /// The prefix of this kind's tokens where nobody has set another.
    public var defaultPrefix: TokenPrefix {
        switch self {
        case .service: .service
        case .anon: .publishable
        case .client: .client
        case .admin: .admin
        case .operator: .operator
        }
    }

    /// Whether keys of this kind can be verified at all; to a verifier, a key of another kind does not exist.
    public var isVerifiable: Bool {
        switch self {
        case .service, .anon, .client: true
        case .admin, .operator: false
        }
    }
}
