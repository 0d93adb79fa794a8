public import Postgres

/// The reason for which a database was not migrated.
///
/// The description names files, checksums and lock holders. It contains no SQL and no password.
public enum MigrationError: Error, Sendable {
    /// A file of this program is not a valid migration.
    case invalidFile(name: String, reason: String)
    /// Files were changed after they had been applied to the database.
    case changed(line: String, [MigrationPlan.Change])
    /// Pending files come before a file that was applied.
    case outOfOrder(line: String, files: [String], lastApplied: String)
    /// The ledger has files that this program does not have, between the files of this program.
    case unknownFiles(line: String, files: [String])
    /// Another session migrates the database, and did not end in time.
    case locked(AdvisoryLock.Taken)
    /// A file failed. If the file runs in a transaction, it was rolled back. The files before it stay applied.
    case fileFailed(line: String, file: String, PostgresError)
    /// The ledger could not be read or created.
    case ledger(PostgresError)
    /// The task was cancelled between two files.
    case cancelled
}

extension MigrationError {
    /// The words of the server about the fault, for the owner of the database; `nil` if it said nothing.
    package var wordsForOwner: String? {
        switch self {
        case .fileFailed(_, _, let error), .ledger(let error): error.wordsForOwner
        case .invalidFile, .changed, .outOfOrder, .unknownFiles, .locked, .cancelled: nil
        }
    }
}

extension MigrationError: CustomStringConvertible {
    /// A report for the operator.
    public var description: String {
        switch self {
        case .invalidFile(let name, let reason): return "the migration file \(name) is not valid: \(reason)"
        case .changed(let line, let changes):
            let list = changes.map { "\n  \($0.name)\n    applied  \($0.found)\n    expected \($0.expected)" }.joined()
            return "files of the migration line \(line) were changed after they had been applied to this database. "
                + "Restore the files, and make the change in a new file:\(list)"
        case .outOfOrder(let line, let files, let last):
            return "files of the migration line \(line) come before \(last), which was applied. Rename them: "
                + files.joined(separator: ", ")
        case .unknownFiles(let line, let files):
            return "this database has files of the migration line \(line) that this program does not have. "
                + "Run the release that applied them: \(files.joined(separator: ", "))"
        case .locked(let taken): return taken.description
        case .fileFailed(let line, let file, let error):
            let retry = error.sqlState == .lockNotAvailable ? " (a lock did not become free in time: run again)" : ""
            return "the migration file \(line)/\(file) failed: \(error)\(retry)"
        case .ledger(let error): return "the ledger mortise.migrations cannot be read or created: \(error)"
        case .cancelled: return "the migration was cancelled between two files. Run it again to resume"
        }
    }
}
