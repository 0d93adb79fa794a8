/// What was done to one database, or would be.
public struct MigrationReport: Sendable, Hashable {
    /// One file.
    public struct File: Sendable, Hashable {
        /// The line's name.
        public let line: String
        /// The file's name.
        public let name: String

        package init(line: String, name: String) {
            self.line = line
            self.name = name
        }
    }

    /// The files that were applied; in a dry run those that would be.
    public internal(set) var files: [File] = []
    /// What the database had seen before, in the order of lines and files.
    public internal(set) var applied: [AppliedMigration] = []
    /// Whether nothing was changed because nothing should be.
    public let isDryRun: Bool
    /// Lines to which a later release has added files already.
    public internal(set) var newerLines: [String] = []

    /// Of a database that was only looked at.
    public static let nothing = MigrationReport(isDryRun: true)

    /// Whether there was nothing to do.
    public var isEmpty: Bool { files.isEmpty }
}
