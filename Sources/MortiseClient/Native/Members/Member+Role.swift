extension Mortise.Member {
    /// The role of a member, which determines the member's permissions.
    ///
    /// A newer server can add roles, so handle `default`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "role")
    public struct Role: RawRepresentable, Sendable, Hashable {
        /// The role in the API, such as `owner`.
        public let rawValue: String

        /// Creates a role from its name in the API.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The role with every permission, which can also add, change and remove owners.
        public static let owner = Role(rawValue: "owner")
        /// The role with every permission, which cannot add, change or remove owners.
        public static let admin = Role(rawValue: "admin")
        /// The role without permissions, which manages the client keys of its own user.
        public static let member = Role(rawValue: "member")
        /// The role with the permissions `keys:read` and `events:read`.
        public static let auditor = Role(rawValue: "auditor")
    }
}
