import Migrations

/// The outcome of the migration of many databases as lines for people.
struct FleetText {
    private let outcomes: [(name: String, outcome: FleetOutcome)]

    /// - Parameter outcomes: The outcomes with the names of their workspaces, in their order.
    init(_ outcomes: [(name: String, outcome: FleetOutcome)]) { self.outcomes = outcomes }

    /// The databases that are not up to date in the same way.
    private struct Group {
        let text: String
        var names: [String] = []
        /// The different words of the server or of libpq about them.
        var words: [String] = []

        /// The printable lines: the way and the names, and then the words.
        var lines: [String] {
            let way = text.printableLines
            let list = names.summary
            let head = way.count > 1 ? way + ["in \(list)"] : way.map { "\($0): \(list)" }
            let lines = head + CommandFailure.quoting(words).flatMap(\.printableLines)
            return lines.enumerated().map { ($0.offset == 0 ? "  " : "    ") + $0.element }
        }
    }

    /// The numbers of databases by outcome, and lines for each group that is not up to date, all of them printable.
    var summary: [String] {
        guard !outcomes.isEmpty else { return ["workspaces: none"] }
        var counts: [(word: String, count: Int)] = []
        var groups: [Group] = []
        for (name, outcome) in outcomes {
            let word = Self.word(outcome.status)
            if let index = counts.firstIndex(where: { $0.word == word }) {
                counts[index].count += 1
            } else {
                counts.append((word, 1))
            }
            if outcome.status == .upToDate { continue }
            let text = Self.text(outcome.status)
            let index = groups.firstIndex { $0.text == text } ?? groups.endIndex
            if index == groups.endIndex { groups.append(Group(text: text)) }
            groups[index].names.append(name)
            if let words = outcome.words, !groups[index].words.contains(words) { groups[index].words.append(words) }
        }
        let sums = counts.map { "\($0.count) \($0.word)" }.joined(separator: ", ")
        return ["workspaces: \(outcomes.count), of which \(sums)"] + groups.flatMap(\.lines)
    }

    /// Returns the outcome in one or two words.
    static func word(_ status: FleetOutcome.Status) -> String {
        switch status {
        case .migrated: "migrated"
        case .pending: "pending"
        case .upToDate: "up to date"
        case .unreachable: "cannot be reached"
        case .failed: "failed"
        case .skipped: "skipped"
        }
    }

    /// Returns the files of the outcome.
    static func files(_ status: FleetOutcome.Status) -> [String] {
        switch status {
        case .migrated(let files), .pending(let files): files.map { "\($0.line)/\($0.name)" }
        case .upToDate, .unreachable, .failed, .skipped: []
        }
    }

    /// Returns the outcome with its reason, and with the words of the server or of libpq in a line of their own.
    static func state(_ status: FleetOutcome.Status, words: String? = nil) -> String {
        if let words { return "\(state(status))\n\(CommandFailure.quoting(words))" }
        return switch status {
        case .unreachable(let reason), .failed(let reason): "\(word(status)): \(reason)"
        case .migrated, .pending, .upToDate, .skipped: word(status)
        }
    }

    private static func text(_ status: FleetOutcome.Status) -> String {
        ([state(status)] + [files(status).joined(separator: ", ")]).filter { !$0.isEmpty }.joined(separator: " ")
    }
}
