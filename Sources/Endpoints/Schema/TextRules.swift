import JSON

/// What a string must be like.
///
/// None may hold U+0000, which PostgreSQL cannot store.
package struct TextRules: Sendable {
    /// The length in Unicode scalars, which is what JSON Schema and PostgreSQL's `char_length` count.
    package var length: ClosedRange<Int>

    /// The spelling it must have.
    package var format: TextFormat?

    /// The only strings that are accepted; all are when this is `nil`.
    package var choices: [String]?

    /// Makes rules.
    package init(length: ClosedRange<Int>, format: TextFormat? = nil, choices: [String]? = nil) {
        self.length = length
        self.format = format
        self.choices = choices
    }

    /// Says what is wrong with a string; `nil` if nothing is.
    func fault(in text: String) -> String? {
        if let choices {
            return choices.contains { $0.hasSameBytes(as: text) } ? nil : "must be one of \(Self.list(choices))"
        }
        // A scalar takes one to four bytes, so that most strings need not be counted.
        let bytes = text.utf8.count
        if bytes > length.upperBound || bytes < length.lowerBound * 4 {
            guard length.contains(text.unicodeScalars.count) else { return lengthSentence }
        }
        if text.utf8.contains(0) { return "must not contain the character U+0000" }
        if let format, !format.matches(text) { return format.detail }
        return nil
    }

    private var lengthSentence: String {
        length.lowerBound == 0
            ? "must have at most \(length.upperBound) characters"
            : "must have \(length.lowerBound) to \(length.upperBound) characters"
    }

    private static func list(_ choices: [String]) -> String {
        choices.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}
