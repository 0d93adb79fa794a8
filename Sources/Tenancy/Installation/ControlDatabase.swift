import FoundationEssentials
import KeyStore
import Logging
public import Migrations
import Postgres

/// The control database of an installation, created and migrated, and the access to every cluster's databases.
///
/// The value holds the owner's connection settings, which no other module can read.
public struct ControlDatabase: Sendable {
    /// The names of the installation.
    public let installation: Installation
    /// The cluster on the control database's own server.
    public let primary: Cluster
    /// The report of this start's migration.
    public let migration: MigrationReport
    /// The report of this start's migration of the primary cluster's database.
    public let clusterMigration: MigrationReport

    let owner: PostgresConfiguration
    let credentials: ClusterCredentials
    let version: String
    let migratorOptions: MigratorOptions
    let identifiers: IdentifierSource
    let reactor: Reactor
    let logger: Logger

    /// Returns a configuration whose commits wait for the disk, and for the synchronous standby where there is one.
    ///
    /// The server, the database or the role can have a weaker default. `remote_write` waits for a standby that can still lose the change,
    /// and `local` for none. A warning is how the server says that the standby lacks a commit, so no setting may hide warnings.
    ///
    /// If there are several hosts, it is the one that accepts changes, unless the connection string says otherwise.
    static func durable(_ configuration: PostgresConfiguration) -> PostgresConfiguration {
        var configuration = configuration.setting("synchronous_commit", "on").setting("client_min_messages", "notice")
        if configuration.hasSeveralHosts, configuration.parameters["target_session_attrs"] == nil {
            configuration.parameters["target_session_attrs"] = "read-write"
        }
        return configuration
    }

    /// Returns a configuration by which the server, too, ends what this side has given up.
    ///
    /// Otherwise a change could commit after its caller was told that it failed.
    static func limited(_ configuration: PostgresConfiguration, statements: Duration) -> PostgresConfiguration {
        durable(configuration)
            .setting("lock_timeout", "5s")
            .setting("idle_in_transaction_session_timeout", "4s")
            .setting("statement_timeout", "\(statements.timeoutMilliseconds)ms")
    }

    /// Returns the configuration with which the owner connects to a database.
    func ownerConfiguration(_ cluster: Cluster, database: String?) throws(PostgresError) -> PostgresConfiguration {
        guard !cluster.isPrimary else { return Self.durable(database.map(owner.database(_:)) ?? owner) }
        var configuration = Self.durable(try PostgresConfiguration(cluster.conninfo))
        configuration.connectDeadline = owner.connectDeadline
        configuration.queryDeadline = owner.queryDeadline
        configuration.applicationName = owner.applicationName
        if let password = credentials.ownerPassword(cluster.name) { configuration.password = password }
        if let database { configuration.database = database }
        if configuration.database == nil { configuration.database = "postgres" }
        return configuration
    }

    /// Returns the configuration with which the service connects to a database.
    func runtimeConfiguration(_ cluster: Cluster, database: String?) throws(PostgresError) -> PostgresConfiguration {
        var configuration = try ownerConfiguration(cluster, database: database)
        // A password file names the owner by its role, a certificate by its subject.
        for keyword in ["passfile", "sslcert", "sslkey", "sslpassword"] { configuration.parameters[keyword] = nil }
        return configuration.user(
            installation.runtimeRole,
            password: credentials.runtimePassword(cluster.id)
        )
    }

    /// Opens a session as the owner.
    func connectAsOwner(_ cluster: Cluster, database: String?) async throws(PostgresError) -> PostgresConnection {
        try await Self.connectToRecent(
            try ownerConfiguration(cluster, database: database),
            reactor: reactor,
            logger: logger
        )
    }

    /// The maximum time after which a standby has a database that was created.
    private static let replicationPatience = Duration.seconds(5)

    /// Opens a connection to a database that can have been created a moment ago.
    ///
    /// If there are several hosts, libpq asks the first one first. If that is a standby, it can lack the database for a moment, and libpq
    /// then does not ask the next host.
    static func connectToRecent(
        _ configuration: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws(PostgresError) -> PostgresConnection {
        let end = ContinuousClock.now.advanced(by: replicationPatience)
        while true {
            do throws(PostgresError) {
                return try await PostgresConnection.connect(configuration, reactor: reactor, logger: logger)
            } catch {
                guard error.sqlState == .undefinedDatabase, configuration.hasSeveralHosts, ContinuousClock.now < end
                else { throw error }
                // The next attempt tells a cancelled task so.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Opens a session as the owner, passes it to `body`, and closes it afterwards.
    func withOwner<Value>(
        _ cluster: Cluster,
        database: String?,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connectAsOwner(cluster, database: database)
        return try await withResource(connection, body, close: { await $0.close() })
    }

    /// Returns a writer of the control database's rows in a transaction of the control database.
    func writer(in transaction: AuditedTransaction) -> ControlWriter {
        ControlWriter(transaction, installation: installation, identifiers: identifiers)
    }

    /// Returns the migrator of workspaces' databases.
    func workspaceMigrator() throws(MigrationError) -> Migrator {
        try installation.workspaceMigrator(version: version, options: migratorOptions)
    }
}
