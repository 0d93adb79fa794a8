public import Logging
public import Migrations
public import Postgres

/// An installation as it is found, before anything is done about it.
public struct InstallationFindings: Sendable {
    /// How the control database compares with this program's files, by line.
    public let plans: [MigrationPlan]
    /// The control database as it stands; `nil` when it does not exist or was never started on.
    public let control: ControlDatabase?
}

extension ControlDatabase {
    /// Looks at an installation and changes nothing: no database is made, nothing is migrated, no password is set.
    ///
    /// - Throws: `MigrationError` when a ledger cannot be read, `PostgresError` when the server cannot be reached.
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
        do {
            let plans = try await migrator.plan(connection)
            let store = ControlStore(connection, installation: installation)
            // A first start that was interrupted can have left some of the tables.
            let hasClusters = plans.contains {
                $0.applied.contains { $0.line == "control" && $0.name == "c0003_clusters" }
            }
            let primary: Cluster? =
                if hasClusters { try await store.cluster(name: Cluster.primaryName) } else { nil }
            await connection.close()
            let control = primary.map { primary in
                ControlDatabase(
                    installation: installation,
                    primary: primary,
                    migration: MigrationReport.nothing,
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
        } catch {
            await connection.close()
            throw error
        }
    }
}
