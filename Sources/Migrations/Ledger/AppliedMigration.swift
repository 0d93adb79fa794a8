public import Postgres

/// One row of a database's ledger: a file that it has seen.
public struct AppliedMigration: Sendable, Hashable {
    /// The line it belongs to.
    public let line: String
    /// The file's name.
    public let name: String
    /// SHA-256 of the file as it was applied, 64 hexadecimal digits.
    public let checksum: String
    /// When.
    public let appliedAt: PostgresTimestamp
    /// How long it took, in milliseconds.
    public let durationMilliseconds: Int64
    /// The version of the program that applied it.
    public let version: String

    /// Describes a row.
    public init(
        line: String,
        name: String,
        checksum: String,
        appliedAt: PostgresTimestamp,
        durationMilliseconds: Int64,
        version: String
    ) {
        self.line = line
        self.name = name
        self.checksum = checksum
        self.appliedAt = appliedAt
        self.durationMilliseconds = durationMilliseconds
        self.version = version
    }
}
