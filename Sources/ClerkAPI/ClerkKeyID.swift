import Endpoints
import FoundationEssentials
import Keys

/// How the dialect spells a key's id: `ak_` and the 32 hexadecimal digits of its UUID.
enum ClerkKeyID {
    /// The spelling of an id.
    static func text(of id: UUID) -> String { "ak_" + UUIDv7.text(of: id).replacing("-", with: "") }

    /// The id that a text spells, in either case and also with the prefix that Clerk's first keys had; `nil` for anything else.
    static func parse(_ text: String) -> UUID? {
        let prefixes = ["ak_", "api_key_"]
        guard let prefix = prefixes.first(where: { text.utf8.starts(with: $0.utf8) }) else { return nil }
        let digits = Array(text.utf8.dropFirst(prefix.utf8.count))
        guard digits.count == 32, digits.allSatisfy(\.isHexDigit) else { return nil }
        var characters = String(decoding: digits, as: UTF8.self).lowercased()
        for offset in [20, 16, 12, 8] {
            characters.insert("-", at: characters.index(characters.startIndex, offsetBy: offset))
        }
        return UUIDv7.parse(characters)
    }
}
