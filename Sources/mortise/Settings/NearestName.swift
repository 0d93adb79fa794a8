/// Finds the name that a mistyped one probably means.
enum NearestName {
    /// Returns the closest of some names, or `nil` if none is close.
    ///
    /// Spellings of the same words are equal: `log-level`, `logLevel` and `MORTISE_LOG_LEVEL` all mean `log_level`. Otherwise
    /// one edit in four characters is allowed, and at least one.
    static func find(_ name: String, among names: [String]) -> String? {
        let wanted = normalized(name)
        let nearest = names.map { (name: $0, distance: distance(wanted, normalized($0))) }
            .min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(1, wanted.count / 4) else { return nil }
        return nearest.name
    }

    /// Returns the names that a person may have meant, such as "a, b or c", or `nil` if none is near.
    ///
    /// - Parameters:
    ///   - name: The name that means nothing.
    ///   - names: The names that exist. The other text of each can be near instead, such as a display name.
    /// - Returns: Up to three names.
    static func suggestion(for name: String, among names: [(name: String, other: String)]) -> String? {
        let wanted = normalized(name)
        let limit = max(1, wanted.count / 3)
        let near = names.map { candidate in
            let texts = [candidate.name, candidate.other].filter { !$0.isEmpty }.map(normalized)
            let distances = texts.map { isBeginning(wanted, of: $0) ? 0 : distance(wanted, $0) }
            return (name: candidate.name, distance: distances.min() ?? .max)
        }
        let best = near.filter { $0.distance <= limit }.sorted { $0.distance < $1.distance }.prefix(3).map(\.name)
        guard let last = best.last else { return nil }
        let others = best.dropLast().joined(separator: ", ")
        return others.isEmpty ? last : "\(others) or \(last)"
    }

    /// Returns true if one name begins with the other, which has three characters or more.
    private static func isBeginning(_ first: [Character], of second: [Character]) -> Bool {
        min(first.count, second.count) >= 3 && (first.starts(with: second) || second.starts(with: first))
    }

    /// Returns the words of a name in lower case with underscores between them.
    private static func normalized(_ name: String) -> [Character] {
        var words = ""
        var previous: Character = "_"
        for character in name {
            if previous.isLowercase, character.isUppercase { words.append("_") }
            words.append(character == "-" ? "_" : character)
            previous = character
        }
        words = words.lowercased()
        let prefix = SettingNames.variablePrefix.lowercased()
        return Array(words.hasPrefix(prefix) ? String(words.dropFirst(prefix.count)) : words)
    }

    /// Returns the number of insertions, deletions, replacements and exchanges of neighbors between two names.
    private static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var rows = [Array(0...second.count)]
        for (i, character) in first.enumerated() {
            var row = [i + 1]
            for (j, other) in second.enumerated() {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (character == other ? 0 : 1))
                if i > 0, j > 0, character == second[j - 1], first[i - 1] == other {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[first.count][second.count]
    }
}
