import Glibc

/// The terminal that the program runs on, if there is one.
package enum Terminal {
    /// True if a person can be asked: standard input and standard error are terminals.
    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// True if standard input is a terminal rather than a file or a pipe.
    static var isInput: Bool { isatty(STDIN_FILENO) == 1 }

    /// True if standard error is a terminal.
    static var isError: Bool { isatty(STDERR_FILENO) == 1 }

    /// The width of standard output in columns.
    ///
    /// `nil` if it is not a terminal.
    static var outputWidth: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Asks for a text on standard error.
    ///
    /// - Returns: The line without its line break and without blanks around it.
    /// - Throws: `CommandFailure` of kind `interrupted` at the end of the input.
    static func ask(_ prompt: String) async throws -> String {
        try Output.error(prompt, terminator: "")
        guard let answer = try await Blocking.run({ readLine(strippingNewline: true) }) else {
            throw CommandFailure(.interrupted, "Interrupted. Nothing was sent.")
        }
        return answer.trimmingBlanks
    }

    /// Asks a question on standard error.
    ///
    /// Returns true if the answer is `y` or `yes`, in upper or lower case.
    static func confirm(_ question: String) async throws -> Bool {
        try Output.error("\(question.printable) [y/N] ", terminator: "")
        let answer = try await Blocking.run { readLine(strippingNewline: true) }
        return ["y", "yes"].contains(answer?.lowercased() ?? "")
    }
}
