public import Postgres

/// Why a database was not migrated.
///
/// Its description names files, checksums and lock holders; it holds no SQL and no password.
public enum MigrationError: Error, Sendable {
    /// A file of this program cannot be used.
    case invalidFile(name: String, reason: String)
    /// Files that the database has seen were changed since.
    case changed(line: String, [MigrationPlan.Change])
    /// Files would have to be applied before others that are applied already.
    case outOfOrder(line: String, files: [String], lastApplied: String)
    /// The database has seen files between this program's own that this program does not know.
    case unknownFiles(line: String, files: [String])
    /// Another session migrates this database and did not finish in time.
    case locked(AdvisoryLock.Taken)
    /// A file failed. Nothing of it was kept if it runs in a transaction; the files before it stay applied.
    case fileFailed(line: String, file: String, PostgresError)
    /// The ledger could not be read or made.
    case ledger(PostgresError)
    /// The task was cancelled between two files.
    case cancelled
}

extension MigrationError: CustomStringConvertible {
    /// A report for the person who runs the migration.
    public var description: String {
        switch self {
        case .invalidFile(let name, let reason): return "migration file \(name) cannot be used: \(reason)"
        case .changed(let line, let changes):
            let list = changes.map { "\n  \($0.name)\n    applied  \($0.found)\n    expected \($0.expected)" }.joined()
            return "files of line \(line) were changed after this database had seen them:\(list)"
        case .outOfOrder(let line, let files, let last):
            return
                "files of line \(line) come before \(last), which is applied already: \(files.joined(separator: ", "))"
        case .unknownFiles(let line, let files):
            return "this database has seen files of line \(line) that are not this program's: "
                + files.joined(separator: ", ")
        case .locked(let taken): return taken.description
        case .fileFailed(let line, let file, let error):
            let retry = error.sqlState == .lockNotAvailable ? " (a lock was not free in time; run again)" : ""
            return "\(line)/\(file) failed: \(error)\(retry)"
        case .ledger(let error): return "the ledger of migrations cannot be used: \(error)"
        case .cancelled: return "the migration was cancelled between two files"
        }
    }
}
