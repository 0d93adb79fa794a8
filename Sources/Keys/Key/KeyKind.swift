/// The kind of a key, which says what the key is for.
///
/// Immutable.
public enum KeyKind: String, Sendable, Hashable, CaseIterable {
    /// A secret key to one workspace, for a server.
    case service
    /// A publishable key to one workspace.
    case anon
    /// A key to one workspace that belongs to a subject.
    case client
    /// A key that manages one organization.
    case admin
    /// A key that manages the platform.
    case `operator`

    private static let names = NameTable<KeyKind>()

    /// Creates the kind with a name, or returns `nil` if no kind has that name.
    public init?(rawValue: String) {
        self.init(utf8: rawValue.utf8.span)
    }

    /// Creates the kind with a name in UTF-8, or returns `nil` if no kind has that name.
    package init?(utf8 name: borrowing Span<UInt8>) {
        guard let kind = Self.names.value(named: name) else { return nil }
        self = kind
    }

    /// The default prefix of the tokens of this kind.
    public var defaultPrefix: TokenPrefix {
        switch self {
        case .service: .service
        case .anon: .publishable
        case .client: .client
        case .admin: .admin
        case .operator: .operator
        }
    }

    /// True if keys of this kind can be verified.
    ///
    /// To a verifier, a key of another kind does not exist.
    public var isVerifiable: Bool {
        switch self {
        case .service, .anon, .client: true
        case .admin, .operator: false
        }
    }
}
