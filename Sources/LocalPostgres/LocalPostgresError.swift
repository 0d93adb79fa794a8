/// Why a local PostgreSQL server could not be found, made, started or used.
public struct LocalPostgresError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    public enum Code: String, Sendable {
        /// PostgreSQL's server programs are not installed where they were looked for.
        case notInstalled
        /// The folder cannot be used: wrong owner, not reachable for the server's user, or made by another version.
        case unusableFolder
        /// A setting has no valid name, or is one that this module sets itself.
        case invalidSetting
        /// A program of PostgreSQL or of the system ended with an error.
        case commandFailed
        /// Something did not happen before its deadline.
        case timedOut
        /// The server has not been started, or was stopped.
        case notRunning
    }

    /// The kind of failure.
    public let code: Code

    /// What happened and what to do about it, fit to be shown to whoever runs the program.
    public let message: String

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The error of a system call that just failed.
    static func systemCall(_ action: String, _ number: Int32) -> Self {
        Self(.unusableFolder, "cannot \(action): \(SystemCall.message(number))")
    }
}
