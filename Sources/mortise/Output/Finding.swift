import JSON

/// One thing that an examination found.
package struct Finding: Sendable, Equatable {
    /// How bad it is.
    package enum Level: String, Sendable {
        /// As it should be.
        case fine = "ok"
        /// It works, but should be otherwise.
        case warning
        /// It does not work, or is not safe.
        case problem
    }

    /// How bad it is.
    package let level: Level
    /// What was found, a sentence without secrets.
    package let sentence: String
    /// What to do about it, a sentence.
    package let remedy: String?

    /// Describes a finding.
    package init(_ level: Level, _ sentence: String, remedy: String? = nil) {
        self.level = level
        self.sentence = sentence
        self.remedy = remedy
    }

    /// The finding as it is shown to people.
    var lines: [String] {
        let first = level.rawValue.padded(to: 9) + sentence.printable
        guard let remedy else { return [first] }
        return [first, String(repeating: " ", count: 9) + remedy.printable]
    }

    /// The finding for scripts.
    var json: JSONValue {
        [
            "level": .string(level.rawValue), "sentence": .string(sentence),
            "remedy": remedy.map(JSONValue.string) ?? .null,
        ]
    }
}
