/// Whether a key is for live or for test traffic; fixed when the key is made.
public enum KeyMode: String, Sendable, Hashable, CaseIterable {
    /// For live traffic.
    case live
    /// For test traffic.
    case test
}
