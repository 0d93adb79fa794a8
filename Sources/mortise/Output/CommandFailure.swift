/// Why a command ends without having done what it was asked to do.
package struct CommandFailure: Error, Sendable, Equatable {
    /// What went wrong, each with the exit code of the process.
    package enum Kind: Int32, Sendable {
        /// The server answered, and the answer is no.
        case refused = 1
        /// No Mortise answered.
        case unreachable = 3
        /// The command line or a setting is wrong, or the answer to a question was no; nothing was sent. `EX_USAGE` of
        /// `sysexits.h`, which ArgumentParser uses too.
        case usage = 64
        /// The output could not be written (`EX_IOERR`).
        case output = 74
        /// Ctrl-C, in the numbering of shells: 128 and the number of SIGINT.
        case interrupted = 130
    }

    /// What went wrong.
    package let kind: Kind
    /// One sentence.
    package let message: String
    /// More lines: each fault of a body, or what to check.
    package let details: [String]

    /// Describes a failure.
    package init(_ kind: Kind, _ message: String, details: [String] = []) {
        self.kind = kind
        self.message = message
        self.details = details
    }

    /// The command line or a setting is wrong.
    package static func usage(_ message: String, details: [String] = []) -> CommandFailure {
        CommandFailure(.usage, message, details: details)
    }

    /// The same failure with one more line.
    package func adding(_ detail: String?) -> CommandFailure {
        guard let detail else { return self }
        return CommandFailure(kind, message, details: details + [detail])
    }

    /// The failure as it is printed on standard error, without the last line break.
    ///
    /// Part of it comes from the server, so control characters are made visible.
    package var text: String {
        (["Error: " + message.printable] + details.map { "  " + $0.printable }).joined(separator: "\n")
    }
}
