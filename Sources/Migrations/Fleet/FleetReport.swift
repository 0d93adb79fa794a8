/// What became of one database.
public struct FleetOutcome: Sendable, Hashable {
    /// How it ended.
    public enum Status: Sendable, Hashable {
        /// These files were applied.
        case migrated([MigrationReport.File])
        /// These files would be applied.
        case pending([MigrationReport.File])
        /// There was nothing to do.
        case upToDate
        /// It could not be connected to; the text is safe to print.
        case unreachable(String)
        /// It was not migrated, or not to the end; the text is safe to print.
        case failed(String)
        /// It was not tried, because the canary or another failed, or the task was cancelled.
        case skipped
    }

    /// The target's id.
    public let id: String
    /// The target's name.
    public let name: String
    /// How it ended.
    public let status: Status
    /// What the database had seen before, oldest first; empty where it could not be looked at.
    public let applied: [AppliedMigration]

    /// Describes the end.
    init(id: String, name: String, status: Status, applied: [AppliedMigration] = []) {
        self.id = id
        self.name = name
        self.status = status
        self.applied = applied
    }

    /// Whether the database is as it should be.
    public var isSuccess: Bool {
        switch status {
        case .migrated, .pending, .upToDate: true
        case .unreachable, .failed, .skipped: false
        }
    }
}

/// What became of a fleet.
public struct FleetReport: Sendable, Hashable {
    /// One outcome a database, in the order in which they ended; the skipped ones last.
    public internal(set) var outcomes: [FleetOutcome] = []
    /// Why the list of databases ended early, when it did.
    public internal(set) var listingFailure: String?

    /// Whether every database is as it should be.
    public var isSuccess: Bool { listingFailure == nil && outcomes.allSatisfy(\.isSuccess) }
}

/// A step of a fleet's migration, for a progress bar or a log.
public enum FleetEvent: Sendable, Hashable {
    /// A database is being connected to; `isCanary` when it is the first, alone.
    case started(id: String, name: String, isCanary: Bool)
    /// A file is being applied.
    case applying(id: String, name: String, MigrationReport.File)
    /// A database is done, or is not going to be.
    case finished(FleetOutcome)
}
