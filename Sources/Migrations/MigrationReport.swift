/// What was done to one database, or would be.
public struct MigrationReport: Sendable, Hashable {
    /// One file.
    public struct File: Sendable, Hashable {
        /// The line's name.
        public let line: String
        /// The file's name.
        public let name: String
    }

    /// The files that were applied; in a dry run those that would be.
    public internal(set) var files: [File] = []
    /// Whether nothing was changed because nothing should be.
    public let isDryRun: Bool
    /// Lines to which a later release has added files already.
    public internal(set) var newerLines: [String] = []

    /// Whether there was nothing to do.
    public var isEmpty: Bool { self.files.isEmpty }
}
