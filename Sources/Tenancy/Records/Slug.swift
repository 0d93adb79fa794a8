/// A name in URLs: 1 to 63 of `a-z`, `0-9` and `-`, with no dash at either end.
///
/// A slug does not have the form of a UUID, because a text of that form counts as an id.
public struct Slug: Sendable, Hashable {
    /// The text.
    public let text: String

    /// Creates a slug.
    ///
    /// - Throws: `invalid` for the field `slug` if the text is no slug.
    public init(validating text: String) throws(TenancyError) {
        let bytes = text.utf8
        let isWellFormed =
            (1...63).contains(bytes.count) && bytes.allSatisfy { Self.isAlphanumeric($0) || $0 == Self.dash }
            && bytes.first != Self.dash && bytes.last != Self.dash
        guard isWellFormed else {
            throw TenancyError(
                .invalid,
                "a slug is 1 to 63 lower-case letters, digits and dashes, and neither begins nor ends with a dash",
                field: "slug"
            )
        }
        guard !Self.looksLikeUUID(text) else {
            throw TenancyError(.invalid, "a slug must not have the form of an id", field: "slug")
        }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    /// Returns a slug that derives from a name: its ASCII letters and digits in lower case, with a dash for each run of
    /// other characters.
    ///
    /// - Returns: The slug, or `nil` if the name has no such characters.
    public static func derived(from name: String) -> Slug? {
        var bytes: [UInt8] = []
        for byte in name.lowercased().utf8 {
            if Self.isAlphanumeric(byte) {
                bytes.append(byte)
            } else if let last = bytes.last, last != Self.dash {
                bytes.append(Self.dash)
            }
        }
        bytes = Array(bytes.prefix(Self.derivedLength))
        while bytes.last == Self.dash { bytes.removeLast() }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.isEmpty || Self.looksLikeUUID(text) ? nil : Slug(unchecked: text)
    }

    /// The maximum length of a derived slug, which leaves room for a suffix.
    private static let derivedLength = 56

    /// Returns the slug with a suffix, for a slug that is taken.
    func suffixed(_ suffix: String) -> Slug {
        Slug(unchecked: String(text.prefix(Self.derivedLength)) + "-" + suffix)
    }

    static func looksLikeUUID(_ text: String) -> Bool {
        text.utf8.count == 36
            && text.utf8.enumerated()
                .allSatisfy { index, byte in
                    switch index {
                    case 8, 13, 18, 23: byte == Self.dash
                    default: Self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                    }
                }
    }

    private static let dash = UInt8(ascii: "-")
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
