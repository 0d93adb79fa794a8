import Migrations

/// The outcome of the migration of many databases as lines for people.
struct FleetText {
    private let outcomes: [(name: String, outcome: FleetOutcome)]

    /// - Parameter outcomes: The outcomes with the names of their workspaces, in their order.
    init(_ outcomes: [(name: String, outcome: FleetOutcome)]) { self.outcomes = outcomes }

    /// The numbers of databases by outcome, and a line for each group that is not up to date.
    var summary: [String] {
        guard !outcomes.isEmpty else { return ["workspaces: none"] }
        var counts: [(word: String, count: Int)] = []
        var groups: [(text: String, names: [String])] = []
        for (name, outcome) in outcomes {
            let word = Self.word(outcome.status)
            if let index = counts.firstIndex(where: { $0.word == word }) {
                counts[index].count += 1
            } else {
                counts.append((word, 1))
            }
            if outcome.status == .upToDate { continue }
            let text = Self.text(outcome.status)
            if let index = groups.firstIndex(where: { $0.text == text }) {
                groups[index].names.append(name)
            } else {
                groups.append((text, [name]))
            }
        }
        let sums = counts.map { "\($0.count) \($0.word)" }.joined(separator: ", ")
        return ["workspaces: \(outcomes.count), of which \(sums)"] + groups.map { "  \($0.text): \($0.names.summary)" }
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

    /// Returns the outcome with its reason.
    static func state(_ status: FleetOutcome.Status) -> String {
        switch status {
        case .unreachable(let reason), .failed(let reason): "\(word(status)): \(reason)"
        case .migrated, .pending, .upToDate, .skipped: word(status)
        }
    }

    private static func text(_ status: FleetOutcome.Status) -> String {
        ([state(status)] + [files(status).joined(separator: ", ")]).filter { !$0.isEmpty }.joined(separator: " ")
    }
}
