/// The parts that the help of every command has.
package enum HelpText {
    /// Returns the text above a command's options.
    ///
    /// - Parameters:
    ///   - text: The details that the abstract leaves out. Empty lines separate paragraphs.
    ///   - needs: The conditions of the command, without a full stop.
    ///   - examples: Command lines without the leading `mortise`.
    ///   - exits: The exit codes, without a full stop. Defaults to those of a command that calls a server.
    /// - Returns: The text with its headings.
    static func discussion(
        _ text: String,
        needs: String,
        examples: [String],
        exits: String = callExits
    ) -> String {
        let lines = examples.map { broken("  mortise \($0)") }.joined(separator: "\n")
        return "\(reflowed(text))\n\nNEEDS: \(needs).\n\nEXAMPLES:\n\(lines)\n\nEXIT CODES: \(exits)."
    }

    /// Returns the text with each paragraph on one line, which ArgumentParser wraps at the width of the terminal.
    static func reflowed(_ text: String) -> String {
        text.split(separator: "\n\n").map { $0.replacing("\n", with: " ") }.joined(separator: "\n\n")
    }

    /// Returns a command line that is broken before 80 columns, so that a shell still understands it.
    package static func broken(_ line: String) -> String {
        guard line.count > width else { return line }
        var lines: [String] = []
        var current = ""
        for piece in line.split(separator: " --").enumerated().map({ $0.offset == 0 ? $0.element : " --" + $0.element })
        {
            // Two columns are for the backslash.
            if !current.isEmpty, current.count + piece.count > width - 2 {
                lines.append(current + " \\")
                current = "     "
            }
            current += piece
        }
        return (lines + [current]).joined(separator: "\n")
    }

    private static let width = 78

    private static let callExits = """
        0 success, 1 refused by the server, 3 no Mortise answers, 64 usage error, 74 output error, 130 interrupted
        """

    static let adminKey =
        "a running server, and an admin key or a member's session (see Connection)"
    static let operatorKey = "a running server, and the operator key (see Connection)"
}
