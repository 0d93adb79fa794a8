/// A user's e-mail address: lower-case printable ASCII with one `@` that has text on both sides.
///
/// The part before the `@` is in lower case too. RFC 5321 allows a server to tell cases apart there and no server does,
/// while two users whose addresses differ only in case are a trap.
public struct EmailAddress: Sendable, Hashable {
    /// The address.
    public let text: String

    /// Creates an address, or `nil` for any other text.
    ///
    /// The local part has at most 64 characters: dot-separated words of RFC 5322 section 3.2.3. The domain has two labels or more, as
    /// in DNS (RFC 1035 section 2.3.1). An address has at most 254 characters (RFC 5321 section 4.5.3.1.3, errata 1690).
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= 254 else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count <= 64 else { return nil }
        let words = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard words.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.isInWord) }) else { return nil }
        guard labels.count >= 2, labels.allSatisfy(Self.isLabel) else { return nil }
        self.text = text.lowercased()
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard (1...63).contains(label.count), label.first != hyphen, label.last != hyphen else { return false }
        return label.allSatisfy { isAlphanumeric($0) || $0 == hyphen }
    }

    private static func isInWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || special.contains(byte) }

    private static let special = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }
}
