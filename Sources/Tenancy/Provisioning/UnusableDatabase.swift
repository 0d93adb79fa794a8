package import Postgres

/// The error of a change of a workspace whose own database does not exist, lacks tables of this release, or cannot be reached.
///
/// An error of the control database is none.
package struct UnusableDatabase: Error {
    /// The workspace.
    package let workspace: WorkspaceFacts
    /// The error of its database, or of the server on which it stands.
    package let cause: PostgresError
    /// The fault and its consequence, as a clause without its subject.
    private let sentence: String

    /// Creates the error of a workspace's own database, or returns `nil` for another error of it.
    ///
    /// - Parameters:
    ///   - error: The error of a change that is recorded in the control database.
    ///   - workspace: The workspace.
    init?(_ error: any Error, of workspace: WorkspaceFacts) {
        guard let cause = error as? PostgresError, let kind = DatabaseFault.Kind(cause) else { return nil }
        switch kind {
        case .missing:
            sentence =
                """
                does not exist, so its keys are refused; an operator can restore it, after which a repair sets the state that was asked for, \
                or delete the workspace
                """
        case .outdated:
            sentence =
                "lacks tables of this release, so its keys are refused; an operator can restore it, or run mortise migrate --workspaces"
        default:
            guard let fault = cause.faultOfConnection else { return nil }
            sentence = "\(fault); \(Self.recorded)"
        }
        self.workspace = workspace
        self.cause = cause
    }

    /// Creates the error of the server on which a workspace's database stands, or returns `nil` for an error after which it can be used.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - workspace: The workspace.
    ///   - isRecorded: True if the change is recorded in the control database.
    init?(ofServer error: any Error, of workspace: WorkspaceFacts, isRecorded: Bool) {
        guard let cause = error as? PostgresError, let fault = cause.faultOfConnection else { return nil }
        sentence = "\(fault); \(isRecorded ? Self.recorded : "nothing was changed")"
        self.workspace = workspace
        self.cause = cause
    }

    private static let recorded =
        "the change is recorded, and is carried out when the database can be reached, unless another change replaces it"

    /// The error for the caller of a use case.
    package var explanation: TenancyError {
        TenancyError(.databaseUnusable, "the database of the workspace \(sentence)")
    }
}

extension UnusableDatabase: CustomStringConvertible {
    /// The error of the database.
    package var description: String { "\(cause)" }
}

extension PostgresError {
    /// The fault of the way to a database as a clause without its subject; `nil` for another error.
    ///
    /// A server without a free connection is none: what stops a workspace is tried again then. Neither is an unknown outcome.
    fileprivate var faultOfConnection: String? {
        let codes: [Code] = [.server, .connectFailed, .connectionLost, .deadlineExceeded, .poolTimedOut, .queueFull]
        guard codes.contains(code) else { return nil }
        switch DatabaseFault.Kind(self) {
        case .unusable where !isEndOfTime: return "cannot be reached, so its keys are refused"
        case .unusable, .busy: return "did not answer in time"
        default: return nil
        }
    }
}
