import FoundationEssentials
public import Logging
public import Migrations
public import Postgres

extension ControlDatabase {
    /// Held while what belongs to a whole server is set up.
    static let lock = AdvisoryLock("start of the installation")

    private static let insertRoot = Statement(
        """
        INSERT INTO auth.workspace (workspace_id, organization_id, ref, state) VALUES ($1, NULL, '00000000', 'active')
        ON CONFLICT (singleton) DO NOTHING
        """,
        prepared: false
    )

    /// Brings the control database to where this program needs it, from nothing or from anywhere in between.
    ///
    /// Makes the database if it does not exist and the runtime role, migrates, closes the database to everybody else, and registers the
    /// server as cluster `primary`. Any number of programs may start at once; a start that was interrupted is mended by the next.
    ///
    /// - Parameters:
    ///   - owner: a role that may create databases and roles, and a direct connection: session locks do not survive PgBouncer in
    ///     transaction mode.
    ///   - installation: the names to use.
    ///   - credentials: the passwords of roles.
    ///   - setsPassword: whether the runtime role's password is set; a program that does not serve leaves it alone.
    ///   - admit: called under the lock once the schema is there and before a password is set; what it throws ends the start. Programs
    ///     whose secrets are not this installation's are found out here.
    ///   - version: this program's version, for the ledgers.
    ///   - migratorOptions: how patient migrations are.
    ///   - identifiers: where ids come from.
    ///   - reactor: the thread that connections live on.
    ///   - logger: gets a line for what was done.
    /// - Returns: the control database, migrated.
    /// - Throws: `incompatible` with what to change; `MigrationError`; `PostgresError`; `AdvisoryLock.Taken`.
    public static func bootstrap(
        owner: PostgresConfiguration,
        installation: Installation = .standard,
        credentials: ClusterCredentials,
        setsPassword: Bool = true,
        admit: @Sendable (ControlStore) async throws -> Void = { _ in },
        version: String,
        migratorOptions: MigratorOptions = MigratorOptions(),
        identifiers: IdentifierSource = .system,
        reactor: Reactor,
        logger: Logger
    ) async throws -> ControlDatabase {
        let migrator = try installation.controlMigrator(version: version, options: migratorOptions)
        let connection = try await connectOrCreate(owner, reactor: reactor, logger: logger)
        let server = Server(installation: installation, connection: connection)
        do {
            let (primary, report) = try await lock.withLock(on: connection, patience: migratorOptions.lockPatience) {
                try await server.checkMark(try await Self.identity(on: connection))
                try await server.prepareRole()
                let report = try await migrator.apply(connection) { file in
                    logger.info("applying a migration", metadata: ["file": "\(file.line)/\(file.name)"])
                }
                let store = ControlStore(connection, installation: installation, identifiers: identifiers)
                let primary = try await register(store)
                try await server.setMark(primary.id)
                try await admit(store)
                if setsPassword { try await server.setPassword(credentials.runtimePassword(primary.id)) }
                let database = try await connection.currentDatabase()
                try await server.close(database: database)
                try await server.open(database: database)
                return (primary, report)
            }
            await connection.close()
            return ControlDatabase(
                installation: installation,
                primary: primary,
                migration: report,
                owner: owner,
                credentials: credentials,
                version: version,
                migratorOptions: migratorOptions,
                identifiers: identifiers,
                reactor: reactor,
                logger: logger
            )
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The root tenant's own row, and the cluster that this server is.
    private static func register(_ store: ControlStore) async throws -> Cluster {
        try await store.connection.query(insertRoot, [Workspace.rootID])
        if let cluster = try await store.cluster(name: Cluster.primaryName) { return cluster }
        let made = try await store.insertCluster(
            id: store.identifiers.id(),
            name: Cluster.primaryName,
            conninfo: "",
            by: .system
        )
        guard let made else { throw TenancyError.unknownCluster }
        return made
    }

    private static let hasClusters = Statement("SELECT to_regclass('control.clusters') IS NOT NULL", prepared: false)

    /// The id that the installation has had so far.
    private static func identity(on connection: PostgresConnection) async throws -> UUID? {
        let rows = try await connection.query(hasClusters)
        guard try rows.first?.decode(0, as: Bool.self) == true else { return nil }
        return try await ControlStore(connection, installation: .standard).cluster(name: Cluster.primaryName)?.id
    }

    /// Connects; where the database does not exist, makes it from the database `postgres`, which every server has.
    private static func connectOrCreate(
        _ owner: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws -> PostgresConnection {
        do throws(PostgresError) {
            return try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        } catch {
            guard error.sqlState == .undefinedDatabase, let name = owner.database ?? owner.user else { throw error }
            let maintenance = try await PostgresConnection.connect(
                owner.database("postgres"),
                reactor: reactor,
                logger: logger
            )
            do throws(PostgresError) {
                let database = PostgresConnection.quote(identifier: name)
                try await maintenance.script(
                    "CREATE DATABASE \(database) TEMPLATE template0 ENCODING 'UTF8'",
                    deadline: .seconds(60)
                )
                logger.info("made the control database", metadata: ["database": "\(name)"])
            } catch {
                // 23505 is what the loser of two simultaneous CREATE DATABASE gets.
                guard error.sqlState == .duplicateDatabase || error.sqlState == .uniqueViolation else {
                    await maintenance.close()
                    throw error
                }
            }
            await maintenance.close()
            return try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        }
    }
}

extension PostgresConnection {
    private static let databaseName = Statement("SELECT current_database()::text", prepared: false)

    /// The database that this connection is to, which a configuration may leave to libpq's defaults.
    func currentDatabase() async throws(PostgresError) -> String {
        guard let row = try await query(Self.databaseName).first else {
            throw PostgresError(.protocolViolation, "SELECT returned no row")
        }
        return try row.decode(0)
    }
}
