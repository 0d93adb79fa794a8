import Glibc

/// What is known of the terminal, if there is one.
package enum Terminal {
    /// Whether a person is there to answer a question: both ends of the conversation are a terminal.
    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Whether standard input is a terminal rather than a file or a pipe.
    static var isInput: Bool { isatty(STDIN_FILENO) == 1 }

    /// Whether standard error is a terminal.
    static var isError: Bool { isatty(STDERR_FILENO) == 1 }

    /// The columns of the terminal that standard output is; `nil` if it is none.
    static var outputWidth: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Asks a question on standard error; only `y` and `yes` are a yes.
    static func confirm(_ question: String) async throws -> Bool {
        try Output.error("\(question.printable) [y/N] ", terminator: "")
        let answer = try await Blocking.run { readLine(strippingNewline: true) }
        return ["y", "yes"].contains(answer?.lowercased() ?? "")
    }
}
