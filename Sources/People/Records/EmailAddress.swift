/// A user's e-mail address: lower-case printable ASCII with one `@` that has text on both sides.
///
/// The part before the `@` is in lower case too. RFC 5321 allows a server to tell cases apart there and no server does,
/// while two users whose addresses differ only in case are a trap.
public struct EmailAddress: Sendable, Hashable {
    /// The address.
    public let text: String

    /// Creates an address, or `nil` for any other text.
    ///
    /// An address has 3 to 254 characters (RFC 5321 section 4.5.3.1.3, errata 1690).
    public init?(_ text: String) {
        let bytes = text.utf8
        guard (3...254).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.text = text.lowercased()
    }
}
