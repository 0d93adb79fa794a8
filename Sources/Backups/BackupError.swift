import Keys
import Postgres
import Tenancy

/// A fault of a backup or of a restoration.
///
/// The message is a sentence that is safe to print.
public struct BackupError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The fault.
    public let message: String
    /// The next steps, a sentence each.
    public let advice: [String]

    /// Describes a fault.
    public init(_ message: String, advice: [String] = []) {
        self.message = message
        self.advice = advice
    }

    /// The fault.
    public var description: String { message }

    /// Returns the reason for the failure of one of many databases.
    static func reason(_ error: any Error) -> String {
        let text =
            switch error {
            case let error as BackupError: ([error.message] + error.advice).joined(separator: " ")
            case let error as TenancyError: error.message
            case let error as PostgresError: error.serverMessage ?? error.description
            default: "\(error)"
            }
        return Redaction.redact(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }
}
