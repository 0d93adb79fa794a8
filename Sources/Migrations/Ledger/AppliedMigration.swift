public import Postgres

/// A migration file that was applied to a database: a row of the ledger.
public struct AppliedMigration: Sendable, Hashable {
    /// The name of the migration line.
    public let line: String
    /// The name of the file.
    public let name: String
    /// The SHA-256 of the file as it was applied, in 64 hexadecimal digits.
    public let checksum: String
    /// The instant at which the file was applied.
    public let appliedAt: PostgresTimestamp
    /// The time that the file took, in milliseconds.
    public let durationMilliseconds: Int64
    /// The version of the program that applied the file.
    public let version: String

    /// Creates a row.
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
