package import Postgres

/// The error of a change of a workspace whose own database does not exist, lacks tables of this release, or cannot be reached.
///
/// An error of the control database, or of a cluster's, is none.
package struct UnusableDatabase: Error {
    /// The workspace.
    package let workspace: WorkspaceFacts
    /// The error of its database.
    package let cause: PostgresError
    private let kind: DatabaseFault.Kind

    /// Creates the error, or returns `nil` for another error of the database.
    init?(_ error: any Error, of workspace: WorkspaceFacts) {
        guard let cause = error as? PostgresError, let kind = DatabaseFault.Kind(cause) else { return nil }
        switch kind {
        case .missing, .outdated: break
        // A wait for a lock, or for a connection, has an explanation of its own.
        case .unusable where cause.code == .connectFailed: break
        default: return nil
        }
        self.workspace = workspace
        self.cause = cause
        self.kind = kind
    }

    /// The error for the caller of a use case.
    package var explanation: TenancyError {
        let text =
            switch kind {
            case .missing:
                "does not exist, so its keys are refused; an operator can restore it, after which a repair sets the state that was asked for, or delete the workspace"
            case .outdated:
                "lacks tables of this release, so its keys are refused; an operator can restore it, or run mortise migrate --workspaces"
            default:
                "cannot be reached, so its keys are refused; the change is recorded, and is carried out when the database can be reached, unless another change replaces it"
            }
        return TenancyError(.databaseUnusable, "the database of the workspace \(text)")
    }
}

extension UnusableDatabase: CustomStringConvertible {
    /// The error of the database.
    package var description: String { "\(cause)" }
}
