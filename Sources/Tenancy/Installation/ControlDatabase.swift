import FoundationEssentials
import Logging
public import Migrations
public import Postgres

/// The control database of an installation, made and migrated, and the way to every cluster's databases.
///
/// It holds the owner's connection settings, which nothing outside of this module can read.
public struct ControlDatabase: Sendable {
    /// The names of the installation.
    public let installation: Installation
    /// The cluster that is this database's own server.
    public let primary: Cluster
    /// What the migration of this start did.
    public let migration: MigrationReport

    let owner: PostgresConfiguration
    let credentials: ClusterCredentials
    let version: String
    let migratorOptions: MigratorOptions
    let identifiers: IdentifierSource
    let reactor: Reactor
    let logger: Logger

    /// A configuration by which the server, too, ends what this side has given up, so that nothing is committed after its caller has been
    /// told that it failed.
    static func limited(_ configuration: PostgresConfiguration, statements: Duration) -> PostgresConfiguration {
        let milliseconds = statements.components.seconds * 1000
        return
            configuration
            .setting("lock_timeout", "5s")
            .setting("idle_in_transaction_session_timeout", "15s")
            .setting("statement_timeout", "\(milliseconds)ms")
    }

    /// How the owner reaches a database.
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

    /// How the service reaches a database.
    func runtimeConfiguration(_ cluster: Cluster, database: String?) throws(PostgresError) -> PostgresConfiguration {
        var configuration = try ownerConfiguration(cluster, database: database)
        // Both name the owner: a password file by its role, a certificate by its subject.
        for keyword in ["passfile", "sslcert", "sslkey", "sslpassword"] { configuration.parameters[keyword] = nil }
        return configuration.user(
            installation.runtimeRole,
            password: credentials.runtimePassword(cluster.id)
        )
    }

    /// Opens a session of its own as the owner.
    func connectAsOwner(_ cluster: Cluster, database: String?) async throws(PostgresError) -> PostgresConnection {
        try await PostgresConnection.connect(
            try ownerConfiguration(cluster, database: database),
            reactor: reactor,
            logger: logger
        )
    }

    /// The rows of the control database over one of its connections.
    public func store(on connection: PostgresConnection) -> ControlStore {
        ControlStore(connection, installation: installation, identifiers: identifiers)
    }

    /// What migrates workspaces.
    func workspaceMigrator() throws(MigrationError) -> Migrator {
        try installation.workspaceMigrator(version: version, options: migratorOptions)
    }
}
