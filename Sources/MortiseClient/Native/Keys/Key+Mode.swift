extension Mortise.Key {
    /// The mode of a key, which is fixed at its creation.
    ///
    /// A verification can ask for a mode.
    ///
    /// A newer server can add modes.
    public struct Mode: RawRepresentable, Sendable, Hashable {
        /// The mode in the API, such as `live`.
        public let rawValue: String

        /// Creates a mode from its name in the API.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The mode for production.
        public static let live = Mode(rawValue: "live")
        /// The mode for tests.
        public static let test = Mode(rawValue: "test")
    }
}
