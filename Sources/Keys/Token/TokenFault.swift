/// The first fault of a text that is not a token.
///
/// A fault contains nothing of the text.
public enum TokenFault: Error, Sendable, Hashable {
    /// The text has fewer bytes than the shortest token.
    case tooShort
    /// The text has more bytes than the longest token.
    case tooLong
    /// The text does not begin with a prefix: 1 to 4 of `a-z0-9`, with a letter first.
    case badPrefix
    /// The prefix is not followed by `_live_` or `_test_`.
    case unknownMode
    /// The part after the mode has a wrong length.
    case wrongLength
    /// A byte of the part after the mode is not a base62 digit. The offset counts bytes from the start of the text.
    case badCharacter(offset: Int)
    /// The checksum does not match: the text has a typing error, or is not a token of this service.
    case badChecksum
}

extension TokenFault: CustomStringConvertible {
    /// A sentence for the person who typed the token.
    public var description: String {
        switch self {
        case .tooShort: "The token is too short: the end may be missing."
        case .tooLong: "The token is too long: something may have been added to it."
        case .badPrefix: "The token does not begin with a prefix such as \"mks_\"."
        case .unknownMode: "The token's prefix is not followed by \"live_\" or \"test_\"."
        case .wrongLength: "The token does not have the right number of characters."
        case .badCharacter(let offset):
            "The token has a character that no token contains, at position \(offset + 1)."
        case .badChecksum: "The token's checksum is wrong: a character was changed, swapped or lost."
        }
    }
}
