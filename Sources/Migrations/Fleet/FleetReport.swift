/// The outcome of the migration of one database.
public struct FleetOutcome: Sendable, Hashable {
    /// The end of a migration.
    public enum Status: Sendable, Hashable {
        /// These files were applied.
        case migrated([MigrationReport.File])
        /// These files would be applied, but the migration is a dry run.
        case pending([MigrationReport.File])
        /// All files had been applied before.
        case upToDate
        /// The database could not be connected to. The text is safe to print.
        case unreachable(String)
        /// A file could not be applied. The text is safe to print.
        case failed(String)
        /// The migration was not begun, because the canary or another database failed, or because the task was cancelled.
        case skipped
    }

    /// The id of the target.
    public let id: String
    /// The name of the target.
    public let name: String
    /// The end of the migration.
    public let status: Status
    /// The files that had been applied before, oldest first.
    ///
    /// The array is empty if the ledger could not be read.
    public let applied: [AppliedMigration]
    /// True if a later release has migrated the database.
    public let isNewer: Bool
    /// The words of the server or of libpq about a failure, for the owner of the databases; `nil` if there are none.
    package let words: String?

    /// Creates an outcome.
    package init(
        id: String,
        name: String,
        status: Status,
        applied: [AppliedMigration] = [],
        isNewer: Bool = false,
        words: String? = nil
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.applied = applied
        self.isNewer = isNewer
        self.words = words
    }

    /// True if the database has all files, or would get them.
    public var isSuccess: Bool {
        switch status {
        case .migrated, .pending, .upToDate: true
        case .unreachable, .failed, .skipped: false
        }
    }
}

/// The outcome of the migration of a fleet.
public struct FleetReport: Sendable, Hashable {
    /// The outcomes of the databases, in the order in which the migrations ended.
    public internal(set) var outcomes: [FleetOutcome] = []
    /// The reason for which the list of databases ended early, or `nil`.
    public internal(set) var listingFailure: String?
    /// The words of the server or of libpq about that reason, for the owner of the databases; `nil` if there are none.
    package internal(set) var listingWords: String?

    /// True if the list was complete and every database succeeded.
    public var isSuccess: Bool { listingFailure == nil && outcomes.allSatisfy(\.isSuccess) }
}

/// A step in the migration of a fleet, for a progress bar or a log.
public enum FleetEvent: Sendable, Hashable {
    /// The migration of a database begins. `isCanary` is true for the database that is migrated alone.
    case started(id: String, name: String, isCanary: Bool)
    /// A file is about to be applied.
    case applying(id: String, name: String, MigrationReport.File)
    /// The migration of a database has ended, or was skipped.
    case finished(FleetOutcome)
}
