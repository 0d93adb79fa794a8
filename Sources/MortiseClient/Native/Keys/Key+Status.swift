extension Mortise.Key {
    /// The status of a key, derived in the order revoked, expired, disabled, deprecated, active.
    ///
    /// A newer server can add statuses, so handle `default`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "status")
    public struct Status: RawRepresentable, Sendable, Hashable {
        /// The status in the API, such as `active`.
        public let rawValue: String

        /// Creates a status from its name in the API.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The key works.
        public static let active = Status(rawValue: "active")
        /// The key does not work until it is enabled.
        public static let disabled = Status(rawValue: "disabled")
        /// The key works until its grace period ends.
        public static let deprecated = Status(rawValue: "deprecated")
        /// The key has expired, or its grace period has ended.
        public static let expired = Status(rawValue: "expired")
        /// The key never works again.
        public static let revoked = Status(rawValue: "revoked")
    }
}
