/// An e-mail address as it names a user: in lower case, in printable ASCII, with something on both sides of one `@`.
///
/// What is before the `@` is lower-cased too. RFC 5321 lets a server tell cases apart there and none does, while two users that differ in
/// a capital letter only are a trap.
public struct EmailAddress: Sendable, Hashable {
    /// The address.
    public let text: String

    /// The address that `text` spells, or `nil` where it is none: 3 to 254 characters (RFC 5321 section 4.5.3.1.3, errata 1690).
    public init?(_ text: String) {
        let bytes = text.utf8
        guard (3...254).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.text = text.lowercased()
    }
}
