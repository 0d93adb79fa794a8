/// What is wrong with a text that should be a token, said without any of the text.
public enum TokenFault: Error, Sendable, Hashable {
    /// Fewer characters than the shortest token has.
    case tooShort
    /// More characters than the longest token has.
    case tooLong
    /// No 1 to 4 of `a-z0-9`, beginning with a letter, before the first underscore.
    case badPrefix
    /// Neither `live` nor `test` behind the prefix.
    case unknownMode
    /// The part behind the mode has another length than every token's.
    case wrongLength
    /// A character that is no base62 digit, at this offset in bytes.
    case badCharacter(offset: Int)
    /// The checksum does not belong to the rest: a typing error, or no token of this service.
    case badChecksum
}

extension TokenFault: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .tooShort: "The token is too short: the end may be missing."
        case .tooLong: "The token is too long: something may have been added to it."
        case .badPrefix: "The token does not begin with a prefix such as \"mks_\"."
        case .unknownMode: "The token's prefix is not followed by \"live_\" or \"test_\"."
        case .wrongLength: "The token does not have the right number of characters."
        case .badCharacter(let offset): "The token has a character that no token has, at position \(offset + 1)."
        case .badChecksum: "The token's checksum is wrong: a character was changed, swapped or lost."
        }
    }
}
