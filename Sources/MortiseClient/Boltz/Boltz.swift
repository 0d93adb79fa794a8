/// The types of the manager of Boltz's client, which calls the server at `/compute/v1`.
public enum Boltz {
    /// The mode of a new key.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// The mode for production.
        case live
        /// The mode for tests.
        case test
    }
}
