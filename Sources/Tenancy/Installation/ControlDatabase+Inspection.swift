public import Logging
public import Migrations
public import Postgres

/// The state of an installation before a start changes it.
public struct InstallationFindings: Sendable {
    /// The migration plans of the control database, one for each line of files.
    public let plans: [MigrationPlan]
    /// The control database, or `nil` if it does not exist or no start has registered its cluster.
    public let control: ControlDatabase?
}

extension ControlDatabase {
    /// Returns the settings of the runtime role on the primary cluster (`ALTER ROLE … SET`), which a start removes.
    ///
    /// - Throws: The database's errors.
    public func settingsOfRuntimeRole() async throws -> [String] {
        try await withOwner(primary, database: nil) { connection in
            try await Server(installation: installation, connection: connection).settingsOfRole()
        }
    }

    /// Inspects an installation without changes: it creates no database, migrates nothing and sets no password.
    ///
    /// - Throws: `MigrationError` if a ledger cannot be read, `PostgresError` if the server cannot be reached.
    public static func inspect(
        owner: PostgresConfiguration,
        installation: Installation = .standard,
        credentials: ClusterCredentials,
        version: String,
        reactor: Reactor,
        logger: Logger
    ) async throws -> InstallationFindings {
        let migrator = try installation.controlMigrator(version: version, options: MigratorOptions())
        let connection: PostgresConnection
        do throws(PostgresError) {
            connection = try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        } catch {
            guard error.sqlState == .undefinedDatabase else { throw error }
            return InstallationFindings(plans: migrator.planForEmptyDatabase(), control: nil)
        }
        return try await withResource(connection) { connection in
            try await connection.checkDatabase()
            let plans = try await migrator.plan(connection)
            let store = ControlStore(connection)
            // An interrupted first start can have left some of the tables.
            let hasClusters = plans.contains {
                $0.applied.contains { $0.line == "control" && $0.name == "c0003_clusters" }
            }
            let primary: Cluster? =
                if hasClusters { try await store.cluster(name: Cluster.primaryName) } else { nil }
            let control = primary.map { primary in
                ControlDatabase(
                    installation: installation,
                    primary: primary,
                    migration: MigrationReport.nothing,
                    clusterMigration: MigrationReport.nothing,
                    owner: owner,
                    credentials: credentials,
                    version: version,
                    migratorOptions: MigratorOptions(),
                    identifiers: .system,
                    reactor: reactor,
                    logger: logger
                )
            }
            return InstallationFindings(plans: plans, control: control)
        } close: {
            await $0.close()
        }
    }
}
