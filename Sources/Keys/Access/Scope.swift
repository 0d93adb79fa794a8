/// One thing that a key may do: `*`, `verb:resource` or `verb:*`; or, from another dialect, any text at all.
public struct Scope: Sendable {
    private enum Form {
        case everything
        case exact
        case everyResource
        case opaque
    }

    /// The scope as it was written.
    public let text: String

    private let form: Form

    /// `*`, which covers every scope.
    public static let all = Scope(text: "*", form: .everything)

    /// Takes a scope that has to follow the grammar, as the native API asks.
    ///
    /// A verb and a resource are 1 to 64 of `A-Za-z0-9_.-` each.
    ///
    /// - Throws: What is wrong with `text`.
    public init(validating text: String) throws(ScopeFault) {
        self.init(text: text, form: try Self.form(of: text))
    }

    /// Takes a scope as it is stored, or as a dialect with scopes of its own sends it.
    ///
    /// A text that follows the grammar means what the grammar says. Any other is an opaque literal, which covers itself
    /// alone and is covered by itself and `*` alone.
    public init(freeForm text: String) {
        self.init(text: text, form: (try? Self.form(of: text)) ?? .opaque)
    }

    private init(text: String, form: Form) {
        self.text = text
        self.form = form
    }

    /// Whether the text is outside the grammar.
    public var isOpaque: Bool { form == .opaque }

    /// Whether a key with this scope may do what `required` names.
    ///
    /// `*` covers everything and `read:*` covers `read:x`, never the reverse.
    public func covers(_ required: Scope) -> Bool {
        switch form {
        case .everything: true
        case .exact, .opaque: self == required
        case .everyResource:
            // "read:*" without its star is "read:", which begins every scope of that verb, "read:*" itself included.
            required.form != .opaque && required.text.utf8.starts(with: text.utf8.dropLast())
        }
    }

    private static func form(of text: String) throws(ScopeFault) -> Form {
        if text.isIdentical(to: "*") { return .everything }
        let parts = text.utf8.split(separator: 0x3A, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .notVerbAndResource }
        try checkName(parts[0], verb: true)
        if parts[1].elementsEqual([0x2A]) { return .everyResource }
        try checkName(parts[1], verb: false)
        return .exact
    }

    private static func checkName(_ name: Substring.UTF8View, verb: Bool) throws(ScopeFault) {
        let isName = name.allSatisfy { Base62.isDigit($0) || $0 == 0x5F || $0 == 0x2E || $0 == 0x2D }
        guard (1...64).contains(name.count), isName else { throw verb ? .badVerb : .badResource }
    }
}

extension Scope: Hashable {
    /// Whether both are written with the same bytes.
    public static func == (lhs: Scope, rhs: Scope) -> Bool { lhs.text.isIdentical(to: rhs.text) }

    /// Feeds the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension Scope: CustomStringConvertible {
    /// The scope as it was written.
    public var description: String { text }
}

/// What is wrong with a text that should be a scope.
public enum ScopeFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Neither `*` nor two parts with one colon between them.
    case notVerbAndResource
    /// The part before the colon is not 1 to 64 of the characters allowed.
    case badVerb
    /// The part behind the colon is neither `*` nor 1 to 64 of the characters allowed.
    case badResource

    /// One sentence for a person.
    public var description: String {
        switch self {
        case .notVerbAndResource: "A scope is \"*\", \"verb:resource\" or \"verb:*\"."
        case .badVerb: "The verb of a scope is 1 to 64 letters, digits, \"_\", \".\" or \"-\"."
        case .badResource: "The resource of a scope is \"*\", or 1 to 64 letters, digits, \"_\", \".\" or \"-\"."
        }
    }
}
