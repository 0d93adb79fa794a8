import FoundationEssentials
import Logging
public import Migrations
package import Postgres

/// The cluster databases: one on each cluster, which holds the leases of nodes and the fences around changes (decision 0014).
///
/// They are on the same server as the keys, so a failover moves both together.
extension ControlDatabase {
    /// Creates or migrates the cluster database of a server, whatever state an earlier start left it in.
    ///
    /// The caller holds the lock for the setup of servers.
    ///
    /// - Parameters:
    ///   - server: The server, over a connection as its owner, with the runtime role.
    ///   - owner: The owner's configuration for the cluster database.
    ///   - version: This program's version, for the ledger.
    ///   - migratorOptions: The limits of the migration.
    ///   - reactor: The thread of the connections.
    ///   - logger: The logger, which gets a line for each change.
    /// - Returns: The report of the migration.
    /// - Throws: `incompatible`, whose message says what to change; `MigrationError`; `PostgresError`.
    static func prepareClusterDatabase(
        on server: Server,
        owner: PostgresConfiguration,
        version: String,
        migratorOptions: MigratorOptions,
        reactor: Reactor,
        logger: Logger
    ) async throws -> MigrationReport {
        let installation = server.installation
        let name = installation.clusterDatabase
        guard try await server.connection.currentDatabase() != name else {
            throw TenancyError(
                .incompatible,
                "the database \(name) is for leases and fences; use another name for the control database"
            )
        }
        let migrator = try installation.clusterMigrator(version: version, options: migratorOptions)
        let connection = try await connectOrCreateClusterDatabase(server, owner, reactor: reactor, logger: logger)
        let report = try await withResource(connection) { connection in
            let report = try await migrate(
                connection,
                with: migrator,
                named: "database \(name)",
                version: version,
                logger: logger
            )
            // As after a restore without roles.
            if try await !server.databasesWithoutPrivileges([name]).isEmpty {
                try await connection.script(try installation.clusterPrivileges())
            }
            return report
        } close: {
            await $0.close()
        }
        try await server.close(database: name)
        try await server.open(database: name)
        return report
    }

    private static func connectOrCreateClusterDatabase(
        _ server: Server,
        _ owner: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws -> PostgresConnection {
        do throws(PostgresError) {
            return try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        } catch {
            guard error.sqlState == .undefinedDatabase else { throw error }
        }
        let name = server.installation.clusterDatabase
        if try await createDatabase(name, over: server.connection) {
            logger.info("the database for leases and fences was created", metadata: ["database": "\(name)"])
        }
        return try await connectToRecent(owner, reactor: reactor, logger: logger)
    }

    /// Creates or migrates the cluster database of a cluster.
    func prepareClusterDatabase(of cluster: Cluster, on server: Server) async throws {
        _ = try await Self.prepareClusterDatabase(
            on: server,
            owner: try ownerConfiguration(cluster, database: installation.clusterDatabase),
            version: version,
            migratorOptions: migratorOptions,
            reactor: reactor,
            logger: logger
        )
    }

    /// Creates or migrates the cluster database of every cluster, or compares it with the files of this program.
    ///
    /// - Parameter isDryRun: True to change nothing.
    /// - Returns: The outcome for each cluster, by the cluster's name. A cluster whose database does not exist in a dry run is
    ///   `unreachable`.
    /// - Throws: `MigrationError` if this program's files cannot be used, `PostgresError` if the control database cannot be read.
    public func migrateClusterDatabases(isDryRun: Bool) async throws -> FleetReport {
        let clusters = try await withOwner(primary, database: nil) { try await Self.allClusters($0) }
        let migrator = try installation.clusterMigrator(version: version, options: migratorOptions)
        let fleet = FleetMigration(migrator, options: FleetOptions(startsWithCanary: false, isDryRun: isDryRun))
        return await fleet.run(
            clusters.map { cluster in
                FleetTarget(id: cluster.name, name: cluster.name) {
                    do throws(PostgresError) {
                        return try await connectAsOwner(cluster, database: installation.clusterDatabase)
                    } catch {
                        guard error.sqlState == .undefinedDatabase, !isDryRun else { throw error }
                    }
                    try await withOwner(primary, database: nil) { control in
                        try await prepare(cluster, control: control, setsPassword: false)
                    }
                    return try await connectAsOwner(cluster, database: installation.clusterDatabase)
                }
            }
        )
    }

    /// Reads all clusters, newest first, a page at a time.
    ///
    /// - Throws: The errors of the database.
    package static func allClusters(_ control: PostgresConnection) async throws -> [Cluster] {
        let store = ControlStore(control)
        var clusters: [Cluster] = []
        var position = PagePosition.first
        while true {
            let page = try await store.clusters(PageRequest(limit: 100, position))
            clusters += page.items
            guard let next = page.next else { return clusters }
            position = .after(next)
        }
    }
}
