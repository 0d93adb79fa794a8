/// An error while finding, creating, starting or using a local PostgreSQL server.
public struct LocalPostgresError: Error, Sendable, CustomStringConvertible {
    /// The kinds of errors that a caller can distinguish.
    public enum Code: String, Sendable {
        /// PostgreSQL's server programs are not in the folders that were searched.
        case notInstalled
        /// The folder cannot be used: it has the wrong owner, the server's user cannot reach it, or its data have another version.
        case unusableFolder
        /// The name of a setting is malformed, or the module reserves the setting.
        case invalidSetting
        /// A program of PostgreSQL or of the system ended with an error.
        case commandFailed
        /// A wait reached its deadline.
        case timedOut
        /// The server has not been started, or was stopped.
        case notRunning
    }

    /// The kind of the error.
    public let code: Code

    /// The fault and the next step, for the person who runs the program.
    public let message: String

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Describes a system call that failed.
    package static func systemCall(_ action: String, _ number: Int32) -> Self {
        Self(.unusableFolder, "cannot \(action): \(SystemCall.message(number))")
    }
}
