/// The parts of a command's help that all commands have.
package enum HelpText {
    /// What is printed above a command's own options.
    ///
    /// In `text`, what the command does beyond its one line, paragraphs are separated by empty lines; the examples go without
    /// the leading `mortise`; `exits` is for commands whose exit codes are not those of a call of the API.
    static func discussion(
        _ text: String,
        needs: String,
        examples: [String],
        exits: String = apiExits
    ) -> String {
        let lines = examples.map { broken("  mortise \($0)") }.joined(separator: "\n")
        return "\(reflowed(text))\n\nNEEDS: \(needs).\n\nEXAMPLES:\n\(lines)\n\nEXIT CODES: \(exits)."
    }

    /// Paragraphs as one line each, for ArgumentParser to wrap at the width of the terminal.
    static func reflowed(_ text: String) -> String {
        text.split(separator: "\n\n").map { $0.replacing("\n", with: " ") }.joined(separator: "\n\n")
    }

    /// A command line that a shell still understands when it is broken where 80 columns end.
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

    private static let apiExits = """
        0 done, 1 refused by the server, 3 no Mortise answers, 64 wrong usage, 74 output not written, 130 interrupted
        """

    static let adminKey =
        "a running server, and an admin key or a member's session token (MORTISE_TOKEN or --token-file)"
    static let operatorKey = "a running server, and the operator key (MORTISE_TOKEN or --token-file)"
}
