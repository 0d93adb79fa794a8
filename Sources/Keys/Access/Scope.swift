/// A scope, which names something that a key may do.
///
/// A scope of the grammar is `*`, `verb:resource` or `verb:*`. Dialects with scopes of their own use any text.
public struct Scope: Sendable {
    private enum Form {
        /// `*`
        case everything
        /// `verb:resource`
        case exact
        /// `verb:*`
        case everyResource
        /// A text outside of the grammar.
        case opaque
    }

    /// The scope as it was written.
    public let text: String

    private let form: Form

    /// `*`, which covers every scope.
    public static let all = Scope(text: "*", form: .everything)

    /// Creates a scope of the grammar, which the native API demands.
    ///
    /// A verb and a resource have 1 to 64 characters of `A-Za-z0-9_.-` each.
    ///
    /// - Parameter text: The text of the scope.
    /// - Throws: ``ScopeFault`` if the text is outside of the grammar.
    public init(validating text: String) throws(ScopeFault) {
        self.init(text: text, form: try Self.form(of: text.utf8.span))
    }

    /// Creates a scope from any text, as the database has it or as a dialect with scopes of its own sends it.
    ///
    /// A text of the grammar means what the grammar says. Any other text is opaque: it covers only itself, and only itself
    /// and `*` cover it.
    public init(freeForm text: String) {
        self.init(text: text, form: (try? Self.form(of: text.utf8.span)) ?? .opaque)
    }

    private init(text: String, form: Form) {
        self.text = text
        self.form = form
    }

    /// True if the text is outside of the grammar.
    public var isOpaque: Bool { form == .opaque }

    /// Returns true if a key with the scope may do what `required` names.
    ///
    /// `*` covers everything and `read:*` covers `read:x`. A narrower scope never covers a wider one.
    public func covers(_ required: Scope) -> Bool {
        switch form {
        case .everything: true
        case .exact, .opaque: self == required
        case .everyResource:
            // "read:*" without its star is "read:", which begins every scope of that verb, "read:*" included.
            required.form != .opaque && required.text.utf8.starts(with: text.utf8.dropLast())
        }
    }

    private static func form(of text: borrowing Span<UInt8>) throws(ScopeFault) -> Form {
        if text.count == 1, text[0] == 0x2A { return .everything }
        var colon = 0
        while colon < text.count, text[colon] != 0x3A { colon += 1 }
        guard colon < text.count else { throw .notVerbAndResource }
        for position in (colon + 1)..<text.count where text[position] == 0x3A { throw .notVerbAndResource }
        guard isName(text.extracting(0..<colon)) else { throw .badVerb }
        let resource = text.extracting((colon + 1)..<text.count)
        if resource.count == 1, resource[0] == 0x2A { return .everyResource }
        guard isName(resource) else { throw .badResource }
        return .exact
    }

    private static func isName(_ name: borrowing Span<UInt8>) -> Bool {
        guard (1...64).contains(name.count) else { return false }
        for position in name.indices {
            let byte = name[position]
            guard Base62.isDigit(byte) || byte == 0x5F || byte == 0x2E || byte == 0x2D else { return false }
        }
        return true
    }
}

extension Scope: Hashable {
    /// Compares the bytes of two scopes.
    public static func == (lhs: Scope, rhs: Scope) -> Bool { lhs.text.hasSameBytes(as: rhs.text) }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension Scope: CustomStringConvertible {
    /// The scope as it was written.
    public var description: String { text }
}
