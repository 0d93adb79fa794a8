public import Postgres

/// A database of a fleet.
public struct FleetTarget: Sendable {
    /// The id of the database, for programs.
    public let id: String
    /// The name of the database, for people.
    public let name: String
    /// Opens a connection with a session of its own, as the role that owns the schema.
    ///
    /// The connection is closed when the migration of the database has ended.
    public let connect: @Sendable () async throws -> PostgresConnection

    /// Creates a target.
    ///
    /// - Parameters:
    ///   - id: The id of the database, for programs.
    ///   - name: The name of the database, for people.
    ///   - connect: Opens a connection with a session of its own, as the role that owns the schema.
    public init(id: String, name: String, connect: @escaping @Sendable () async throws -> PostgresConnection) {
        self.id = id
        self.name = name
        self.connect = connect
    }
}

/// The options for the migration of a fleet.
public struct FleetOptions: Sendable {
    /// The number of databases that are migrated at once, at least 1.
    ///
    /// Defaults to 4.
    public var concurrency: Int
    /// True if the first database that can be connected to is migrated alone, and its failure stops the migration.
    ///
    /// Defaults to true. A dry run ignores this option.
    public var startsWithCanary: Bool
    /// True if the failure of another database does not stop the migration.
    ///
    /// Defaults to true.
    public var continuesAfterFailure: Bool
    /// True if the files are compared with the ledgers and no database is changed.
    ///
    /// Defaults to false.
    public var isDryRun: Bool

    /// Creates options.
    public init(
        concurrency: Int = 4,
        startsWithCanary: Bool = true,
        continuesAfterFailure: Bool = true,
        isDryRun: Bool = false
    ) {
        self.concurrency = max(1, concurrency)
        self.startsWithCanary = startsWithCanary
        self.continuesAfterFailure = continuesAfterFailure
        self.isDryRun = isDryRun
    }
}
