import Endpoints

/// The subject of a key: a user, organization, machine or directory of the application, by Clerk's id.
struct ClerkSubject: Sendable, Hashable {
    /// The kinds of subject.
    ///
    /// The raw value is the prefix of the id.
    enum Kind: String, Sendable, CaseIterable {
        case user
        case organization = "org"
        case machine = "mch"
        case directory = "scim"
    }

    let kind: Kind
    let text: String

    /// The number of characters after the prefix.
    static let length = 27

    /// The rule as a pattern of ECMA-262.
    static let pattern = "^(user|org|mch|scim)_\\w{27}$"

    /// Parses an id: a kind, an underscore, and 27 ASCII letters, digits or underscores.
    init?(_ text: String) {
        let parts = text.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else { return nil }
        let characters = parts[1].utf8
        let isWord = characters.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "_") || $0.isLetter }
        guard characters.count == Self.length, isWord else { return nil }
        self.kind = kind
        self.text = text
    }

    /// Returns the subject for a user's id.
    ///
    /// `nil` for any other text.
    static func user(_ text: String) -> ClerkSubject? { ClerkSubject(text).flatMap { $0.kind == .user ? $0 : nil } }
}

extension UInt8 {
    /// True if the byte is an ASCII letter.
    fileprivate var isLetter: Bool {
        let lower = self | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }
}
