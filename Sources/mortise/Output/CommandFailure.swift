import Glibc
import MortiseClient

/// The reason that a command did not do what it was asked to do.
package struct CommandFailure: Error, Sendable, Equatable {
    /// The class of the failure.
    ///
    /// The raw value is the exit code of the process.
    package enum Kind: Int32, Sendable {
        /// The server refused.
        case refused = 1
        /// No Mortise answered.
        case unreachable = 3
        /// The command line or a setting is wrong, or the user did not confirm. Nothing was sent. The code is `EX_USAGE`
        /// of `sysexits.h`, which ArgumentParser uses too.
        case usage = 64
        /// The output could not be written. The code is `EX_IOERR` of `sysexits.h`.
        case output = 74
        /// Ctrl-C was typed, SIGTERM came, or the terminal was closed. The code is the one of shells for the first: 128
        /// plus the number of SIGINT.
        case interrupted = 130
    }

    /// The class of the failure.
    package let kind: Kind
    /// One sentence that names the fault.
    package let message: String
    /// Further lines: each fault of a body, or advice.
    package let details: [String]
    /// The server's reason for a refusal.
    ///
    /// `nil` for every other failure.
    let reason: MortiseError.Reason?

    /// True if the server says that something in the request's path does not exist.
    var isNotFound: Bool { reason == .notFound }

    /// Describes a failure.
    package init(_ kind: Kind, _ message: String, details: [String] = []) {
        self.init(kind, message, details: details, reason: nil)
    }

    init(_ kind: Kind, _ message: String, details: [String], reason: MortiseError.Reason?) {
        self.kind = kind
        self.message = message
        self.details = details
        self.reason = reason
    }

    /// Returns the failure for a wrong command line or setting.
    package static func usage(_ message: String, details: [String] = []) -> CommandFailure {
        CommandFailure(.usage, message, details: details)
    }

    /// Returns the failure with one more line.
    func adding(_ detail: String) -> CommandFailure {
        CommandFailure(kind, message, details: details + [detail], reason: reason)
    }

    /// The lines for standard error, without the last line break.
    ///
    /// Parts of them come from the server, so control characters are escaped. A line of a message of several lines is a
    /// line of its own.
    package var text: String {
        let lines = ([message] + details).map(\.printableLines)
        let head = lines[0].first ?? ""
        let rest = lines[0].dropFirst() + lines.dropFirst().joined()
        return (["\(Style.bad.paint("Error:", on: STDERR_FILENO)) \(head)"] + rest.map { "  " + $0 })
            .joined(separator: "\n")
    }
}
