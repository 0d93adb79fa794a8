package import Postgres

/// The error of a change of a workspace whose own database does not exist, or lacks tables of this release.
///
/// An error of the control database, or of a cluster's, is none.
package struct UnusableDatabase: Error {
    /// The workspace.
    package let workspace: WorkspaceFacts
    /// The error of its database.
    package let cause: PostgresError

    /// The error for the caller of a use case.
    package var explanation: TenancyError {
        if cause.sqlState == .undefinedDatabase {
            return TenancyError(
                .databaseUnusable,
                "the database of the workspace does not exist, so its keys are refused; an operator can restore it, after which a repair sets the state that was asked for, or delete the workspace"
            )
        }
        return TenancyError(
            .databaseUnusable,
            "the database of the workspace lacks tables of this release, so its keys are refused; an operator can restore it, or run mortise migrate --workspaces"
        )
    }
}

extension UnusableDatabase: CustomStringConvertible {
    /// The error of the database.
    package var description: String { "\(cause)" }
}

extension PostgresError {
    /// True if the database does not exist, or lacks a table or a column.
    var saysDatabaseIsUnusable: Bool {
        sqlState == .undefinedDatabase || sqlState == .undefinedTable || sqlState == .undefinedColumn
    }
}
