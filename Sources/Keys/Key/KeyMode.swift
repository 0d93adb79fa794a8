/// The traffic that a key is for.
///
/// Immutable.
public enum KeyMode: String, Sendable, Hashable, CaseIterable {
    /// Live traffic.
    case live
    /// Test traffic.
    case test

    private static let names = NameTable<KeyMode>()

    /// Creates the mode with a name, or returns `nil` if no mode has that name.
    public init?(rawValue: String) {
        self.init(utf8: rawValue.utf8.span)
    }

    /// Creates the mode with a name in UTF-8, or returns `nil` if no mode has that name.
    package init?(utf8 name: borrowing Span<UInt8>) {
        guard let mode = Self.names.value(named: name) else { return nil }
        self = mode
    }
}
