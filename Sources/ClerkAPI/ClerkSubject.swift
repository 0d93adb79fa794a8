import Endpoints

/// Whose a key is: one of the application's users, organizations, machines or directories, by Clerk's ids.
struct ClerkSubject: Sendable, Hashable {
    /// The kinds of subject; the raw value is what ids begin with.
    enum Kind: String, Sendable, CaseIterable {
        case user
        case organization = "org"
        case machine = "mch"
        case directory = "scim"
    }

    let kind: Kind
    let text: String

    /// How many characters stand behind the prefix.
    static let length = 27

    /// The ECMA-262 spelling of the rule.
    static let pattern = "^(user|org|mch|scim)_\\w{27}$"

    /// Reads an id: a kind, an underscore, and 27 ASCII letters, digits or underscores.
    init?(_ text: String) {
        let parts = text.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else { return nil }
        let characters = parts[1].utf8
        let isWord = characters.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "_") || $0.isLetter }
        guard characters.count == Self.length, isWord else { return nil }
        self.kind = kind
        self.text = text
    }

    /// Reads the id of a user.
    static func user(_ text: String) -> ClerkSubject? { ClerkSubject(text).flatMap { $0.kind == .user ? $0 : nil } }
}

extension UInt8 {
    /// Whether the byte is an ASCII letter.
    fileprivate var isLetter: Bool {
        let lower = self | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }
}
