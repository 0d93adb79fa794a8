public import Postgres

/// One database of a fleet.
public struct FleetTarget: Sendable {
    /// What the report knows it by.
    public let id: String
    /// What a person knows it by.
    public let name: String
    /// Opens a session of its own as the role that owns the schema.
    ///
    /// It is closed when the database is done.
    public let connect: @Sendable () async throws -> PostgresConnection

    /// Describes a database.
    public init(id: String, name: String, connect: @escaping @Sendable () async throws -> PostgresConnection) {
        self.id = id
        self.name = name
        self.connect = connect
    }
}

/// How a fleet is migrated.
public struct FleetOptions: Sendable {
    /// How many databases are migrated at once.
    ///
    /// Default 4, at least 1.
    public var concurrency: Int
    /// Whether the first database that can be connected to is finished alone, and its failure stops the rest.
    ///
    /// Default true; a dry run has no need of it.
    public var startsWithCanary: Bool
    /// Whether other failures leave the rest going on.
    ///
    /// Default true.
    public var continuesAfterFailure: Bool
    /// Whether to look and change nothing.
    ///
    /// Default false.
    public var isDryRun: Bool

    /// Sets the four.
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
