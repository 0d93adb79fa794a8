import CivilTime

/// A format of strings.
package struct TextFormat: Sendable {
    /// The name in JSON Schema's registry of formats, such as `uuid`.
    package let name: String?

    /// The format as an ECMA-262 regular expression, for the documentation.
    ///
    /// `matches` decides.
    package let pattern: String?

    /// The clause for a string that does not match, such as "must be a UUID".
    package let detail: String

    /// The maximum length of a string in this format, in Unicode scalars.
    package let maximumLength: Int

    /// Returns true if a string has this format.
    package let matches: @Sendable (String) -> Bool

    /// Creates a format.
    package init(
        name: String? = nil,
        pattern: String? = nil,
        detail: String,
        maximumLength: Int,
        matches: @escaping @Sendable (String) -> Bool
    ) {
        self.name = name
        self.pattern = pattern
        self.detail = detail
        self.maximumLength = maximumLength
        self.matches = matches
    }

    /// A UUID of 36 characters, in lower or upper case (RFC 9562 section 4).
    package static let uuid = TextFormat(name: "uuid", detail: "must be a UUID", maximumLength: 36) { text in
        guard text.utf8.count == 36 else { return false }
        for (position, byte) in text.utf8.enumerated() {
            let isDash = position == 8 || position == 13 || position == 18 || position == 23
            guard isDash ? byte == UInt8(ascii: "-") : byte.isHexDigit else { return false }
        }
        return true
    }

    /// A date with a time and an offset (RFC 3339).
    package static let dateTime = TextFormat(
        name: "date-time",
        detail: "must be an RFC 3339 date and time with an offset, such as \"2030-01-31T12:00:00Z\"",
        maximumLength: RFC3339.maximumLength
    ) { RFC3339.microseconds($0) != nil }

    /// An e-mail address: a local part, an at sign and a domain, without white space or control characters.
    package static let email = TextFormat(name: "email", detail: "must be an e-mail address", maximumLength: 254) {
        text in
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.count <= 64, !parts[1].isEmpty else { return false }
        guard !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains("..") else { return false }
        return text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.value > 0x20 && $0.value != 0x7F }
    }

    /// Lower-case letters, digits and single hyphens inside: `^[a-z0-9]+(-[a-z0-9]+)*$`, at most 63 characters.
    package static let slug = TextFormat(
        pattern: "^[a-z0-9]+(-[a-z0-9]+)*$",
        detail: "must consist of lower-case letters and digits, with single hyphens between them",
        maximumLength: 63
    ) { text in
        var wasHyphen = true
        for byte in text.utf8 {
            let isHyphen = byte == UInt8(ascii: "-")
            guard isHyphen ? !wasHyphen : byte.isLowerCaseLetterOrDigit else { return false }
            wasHyphen = isHyphen
        }
        return !wasHyphen
    }
}

extension UInt8 {
    /// True if the byte is an ASCII digit.
    package var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// True if the byte is an ASCII hexadecimal digit.
    package var isHexDigit: Bool { hexDigit != nil }

    /// True if the byte is a lower-case ASCII letter or a digit.
    var isLowerCaseLetterOrDigit: Bool { isDigit || (self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z")) }

    /// The value of the byte as an ASCII hexadecimal digit.
    var hexDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
