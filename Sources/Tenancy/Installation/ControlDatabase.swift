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

    let owner: PostgresConfiguration
    let credentials: ClusterCredentials
    let version: String
    let migratorOptions: MigratorOptions
    let identifiers: IdentifierSource
    let reactor: Reactor
    let logger: Logger

    /// Returns a configuration by which the server, too, ends what this side has given up.
    ///
    /// Otherwise a change could commit after its caller was told that it failed.
    static func limited(_ configuration: PostgresConfiguration, statements: Duration) -> PostgresConfiguration {
        let milliseconds = statements.components.seconds * 1000
        return
            configuration
            .setting("lock_timeout", "5s")
            .setting("idle_in_transaction_session_timeout", "15s")
            .setting("statement_timeout", "\(milliseconds)ms")
    }

    /// Returns the configuration with which the owner connects to a database.
    func ownerConfiguration(_ cluster: Cluster, database: String?) throws(PostgresError) -> PostgresConfiguration {
        guard !cluster.isPrimary else { return database.map(owner.database(_:)) ?? owner }
        var configuration = try PostgresConfiguration(cluster.conninfo)
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
        try await PostgresConnection.connect(
            try ownerConfiguration(cluster, database: database),
            reactor: reactor,
            logger: logger
        )
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
