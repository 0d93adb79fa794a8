/// The end of a run of `mortise migrate`, the best one first.
enum MigrationEnd: Comparable {
    /// Every database is up to date, or was examined.
    case complete
    /// At least one database is not up to date, or could not be examined.
    case incomplete
    /// A later release has migrated the control database or the database of a cluster, so this program does not run on it.
    case newer
    /// A signal ended the run before every database had its turn.
    case interrupted

    /// The failure of the command, or `nil` if there is none.
    var failure: CommandFailure? {
        switch self {
        case .complete: nil
        case .incomplete:
            CommandFailure(
                .refused,
                "Not all databases are up to date.",
                details: ["Run the command again. Databases that are up to date stay as they are."]
            )
        case .interrupted:
            CommandFailure(
                .interrupted,
                "Interrupted.",
                details: ["Each file was applied as a whole or not at all. Run the command again to continue."]
            )
        case .newer:
            CommandFailure(.refused, "A database is \(NewerSchema.state).", details: [NewerSchema.remedy])
        }
    }
}

/// The words about a control database or a database of a cluster that a later release has migrated.
///
/// A start refuses both. The databases of workspaces can be newer: the release before runs on them, too.
enum NewerSchema {
    /// The state of the database.
    static let state = "newer than this program (\(Version.current))"
    /// The next step.
    static let remedy = "Start the release that migrated it, or a later one."
}
