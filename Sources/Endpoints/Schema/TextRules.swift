import JSON

/// The rules for a string.
///
/// U+0000 is always a fault, because PostgreSQL cannot store it.
package struct TextRules: Sendable {
    /// The length in Unicode scalars, as JSON Schema and PostgreSQL's `char_length` count it.
    package var length: ClosedRange<Int>

    /// The required format.
    ///
    /// `nil` accepts every format.
    package var format: TextFormat?

    /// The accepted strings.
    ///
    /// `nil` accepts all strings.
    package var choices: [String]?

    /// Creates rules.
    package init(length: ClosedRange<Int>, format: TextFormat? = nil, choices: [String]? = nil) {
        self.length = length
        self.format = format
        self.choices = choices
    }

    /// Returns the fault of a string, or `nil` without a fault.
    func fault(in text: String) -> String? {
        if let choices {
            return choices.contains { $0.hasSameBytes(as: text) } ? nil : "must be one of \(Self.list(choices))"
        }
        // A scalar has one to four bytes, so the scalars of most strings need not be counted.
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
