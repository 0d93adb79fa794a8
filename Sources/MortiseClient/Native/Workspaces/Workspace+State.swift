extension Mortise.Workspace {
    /// The state of a workspace.
    ///
    /// A newer server can add states, so handle `default`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "state")
    public struct State: RawRepresentable, Sendable, Hashable {
        /// The state in the API, such as `active`.
        public let rawValue: String

        /// Creates a state from its name in the API.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The database of the workspace is being created.
        public static let creating = State(rawValue: "creating")
        /// The keys of the workspace work.
        public static let active = State(rawValue: "active")
        /// The keys of the workspace do not work until it is resumed.
        public static let suspended = State(rawValue: "suspended")
        /// The keys of the workspace never work again.
        public static let archived = State(rawValue: "archived")
        /// The database of the workspace is being deleted.
        public static let deleting = State(rawValue: "deleting")
    }
}
