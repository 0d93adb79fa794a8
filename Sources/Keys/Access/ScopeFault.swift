/// A fault of a text that is not a scope of the grammar.
public enum ScopeFault: Error, Sendable, Hashable {
    /// The text is neither `*` nor two parts with one colon between them.
    case notVerbAndResource
    /// The part before the colon is not 1 to 64 of the allowed characters.
    case badVerb
    /// The part after the colon is neither `*` nor 1 to 64 of the allowed characters.
    case badResource
}

extension ScopeFault: CustomStringConvertible {
    /// A sentence for the person who wrote the text.
    public var description: String {
        switch self {
        case .notVerbAndResource: "A scope is \"*\", \"verb:resource\" or \"verb:*\"."
        case .badVerb: "The verb of a scope is 1 to 64 letters, digits, \"_\", \".\" or \"-\"."
        case .badResource: "The resource of a scope is \"*\", or 1 to 64 letters, digits, \"_\", \".\" or \"-\"."
        }
    }
}
