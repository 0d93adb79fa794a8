/// The result of the migration of one database, or of a dry run.
public struct MigrationReport: Sendable, Hashable {
    /// A migration file.
    public struct File: Sendable, Hashable {
        /// The name of the migration line.
        public let line: String
        /// The name of the file.
        public let name: String

        package init(line: String, name: String) {
            self.line = line
            self.name = name
        }
    }

    /// The files that were applied, or that would be applied in a dry run.
    public internal(set) var files: [File] = []
    /// The files that had been applied before, in the order of the lines and of the files.
    public internal(set) var applied: [AppliedMigration] = []
    /// True if the migration was a dry run, which changes nothing.
    public let isDryRun: Bool
    /// The lines to which a later release has added files.
    public internal(set) var newerLines: [String] = []

    /// The report of a dry run that found nothing to apply.
    public static let nothing = MigrationReport(isDryRun: true)

    /// True if there was no file to apply.
    public var isEmpty: Bool { files.isEmpty }
}
