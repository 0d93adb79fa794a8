import Endpoints
import FoundationEssentials
import Keys

/// The dialect's spelling of a key's id: `ak_` and the 32 hexadecimal digits of the UUID.
enum ClerkKeyID {
    /// Returns the spelling of an id.
    static func text(of id: UUID) -> String { "ak_" + UUIDv7.text(of: id).replacing("-", with: "") }

    /// Returns the id that a text spells, in either case, also with the prefix of Clerk's first keys.
    ///
    /// `nil` for any other text.
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
