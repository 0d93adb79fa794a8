import JSON

/// A finding of `mortise doctor`.
package struct Finding: Sendable, Equatable {
    /// The severity of a finding.
    package enum Level: String, Sendable {
        /// Nothing needs to change.
        case fine = "ok"
        /// The installation works, but something should change.
        case warning
        /// The installation does not work, or is not safe.
        case problem
    }

    /// The severity.
    package let level: Level
    /// One sentence that says what was found.
    ///
    /// It holds no secrets.
    package let sentence: String
    /// One sentence that says what to do.
    ///
    /// `nil` if there is nothing to do.
    package let remedy: String?

    /// Describes a finding.
    package init(_ level: Level, _ sentence: String, remedy: String? = nil) {
        self.level = level
        self.sentence = sentence
        self.remedy = remedy
    }

    /// The finding as lines for people.
    var lines: [String] {
        let margin = String(repeating: " ", count: 9)
        let label = style.paint(level.rawValue) + margin.dropFirst(level.rawValue.count)
        let texts = [sentence, remedy].compactMap(\.self).flatMap(\.printableLines)
        return texts.enumerated().map { $0.offset == 0 ? label + $0.element : margin + $0.element }
    }

    private var style: Style {
        switch level {
        case .fine: .good
        case .warning: .warning
        case .problem: .bad
        }
    }

    /// The finding as JSON for scripts.
    var json: JSONValue {
        [
            "level": .string(level.rawValue), "sentence": .string(sentence),
            "remedy": remedy.map(JSONValue.string) ?? .null,
        ]
    }
}
