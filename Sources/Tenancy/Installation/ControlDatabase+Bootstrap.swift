import FoundationEssentials
public import KeyStore
public import Logging
public import Migrations
public import Postgres

extension ControlDatabase {
    /// The lock for the setup of everything that belongs to a whole server.
    static let lock = AdvisoryLock("start of the installation")

    private static let insertRoot = Statement(
        """
        INSERT INTO auth.workspace (workspace_id, organization_id, ref, state) VALUES ($1, NULL, '00000000', 'active')
        ON CONFLICT (singleton) DO NOTHING
        """,
        prepared: false
    )

    /// Creates or migrates the control database, whatever state an earlier start left it in.
    ///
    /// It creates the database and the runtime role if they do not exist, migrates, closes the database to all other roles, registers the
    /// server as cluster `primary`, and does the same for the database of leases and fences. Any number of programs can start at once. The
    /// next start repairs an interrupted one.
    ///
    /// - Parameters:
    ///   - owner: The connection of a role that can create databases and roles. It must be direct, because session
    ///     locks do not survive PgBouncer in transaction mode.
    ///   - installation: The installation's names.
    ///   - credentials: The passwords of roles.
    ///   - setsPassword: True to set the runtime role's password. A program that does not serve must leave it alone.
    ///   - admit: Called under the lock when the schema exists and before a password is set. An error from it ends the
    ///     start. It finds programs whose secrets belong to another installation.
    ///   - version: This program's version, for the ledgers.
    ///   - migratorOptions: The limits of migrations.
    ///   - identifiers: The source of ids.
    ///   - reactor: The thread of the connections.
    ///   - logger: The logger, which gets a line for each change.
    /// - Returns: The control database, migrated.
    /// - Throws: `incompatible`, whose message says what to change; `held` after a restoration that nobody has released, if a password is
    ///   to be set; `MigrationError`; `PostgresError`; `AdvisoryLock.Taken`.
    public static func bootstrap(
        owner: PostgresConfiguration,
        installation: Installation = .standard,
        credentials: ClusterCredentials,
        setsPassword: Bool = true,
        admit: @Sendable (PepperStore) async throws -> Void = { _ in },
        version: String,
        migratorOptions: MigratorOptions = MigratorOptions(),
        identifiers: IdentifierSource = .system,
        reactor: Reactor,
        logger: Logger
    ) async throws -> ControlDatabase {
        let migrator = try installation.controlMigrator(version: version, options: migratorOptions)
        try await requireOneServer(owner, reactor: reactor, logger: logger)
        let connection = try await connectOrCreate(durable(owner), reactor: reactor, logger: logger)
        let server = Server(installation: installation, connection: connection)
        return try await withResource(connection) { connection in
            let (primary, report, clusterReport) = try await lock.withLock(
                on: connection,
                patience: migratorOptions.lockPatience
            ) {
                let isExisting = try await connection.checkDatabase()
                let identity = try await Self.identity(on: connection)
                if identity == nil { try await server.requireNoRestoration() }
                try await server.checkMark(identity)
                try await server.prepareRole()
                let settings = try await server.resetRole()
                if !settings.isEmpty {
                    logger.notice(
                        "settings of the runtime role were removed, because they would win over those of the server",
                        metadata: ["settings": "\(settings.joined(separator: ", "))"]
                    )
                }
                let report = try await migrate(
                    connection,
                    with: migrator,
                    named: "control database",
                    version: version,
                    logger: logger
                )
                let primary = try await connection.auditedTransaction { transaction in
                    try await register(
                        ControlWriter(transaction, installation: installation, identifiers: identifiers)
                    )
                }
                try await server.setMark(primary.id)
                try await admit(PepperStore(connection))
                if setsPassword {
                    try await connection.requireRelease()
                    try await server.setPassword(credentials.runtimePassword(primary.id))
                }
                let isHeld = try await connection.heldRestoration() != nil
                let database = try await connection.currentDatabase()
                if isExisting, !isHeld, try await !server.databasesWithoutPrivileges([database]).isEmpty {
                    try await connection.script(try installation.controlPrivileges())
                    logger.notice(
                        "the privileges of the runtime role were missing, as after a restore without roles, and were granted again",
                        metadata: ["database": "\(database)"]
                    )
                }
                try await server.close(database: database)
                if !isHeld { try await server.open(database: database) }
                let clusterReport = try await prepareClusterDatabase(
                    on: server,
                    owner: durable(owner).database(installation.clusterDatabase),
                    version: version,
                    migratorOptions: migratorOptions,
                    reactor: reactor,
                    logger: logger
                )
                return (primary, report, clusterReport)
            }
            return ControlDatabase(
                installation: installation,
                primary: primary,
                migration: report,
                clusterMigration: clusterReport,
                owner: owner,
                credentials: credentials,
                version: version,
                migratorOptions: migratorOptions,
                identifiers: identifiers,
                reactor: reactor,
                logger: logger
            )
        } close: {
            await $0.close()
        }
    }

    /// Throws if something behind the connection string only looks like one PostgreSQL server.
    private static func requireOneServer(
        _ owner: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws {
        let examination = ConnectionExamination(owner, reactor: reactor, logger: logger)
        let faults = try await examination.sessions()
        let hosts = await examination.hosts()
        if let fault = (faults + hosts.faults).first { throw fault }
        if !hosts.unreachable.isEmpty {
            logger.warning(
                "hosts of the database URL cannot be reached",
                metadata: ["hosts": "\(hosts.unreachable.joined(separator: ", "))"]
            )
        }
    }

    /// Inserts the root tenant's own row and the primary cluster's, if they do not exist.
    private static func register(_ writer: ControlWriter) async throws -> Cluster {
        try await writer.transaction.connection.query(insertRoot, [Workspace.rootID])
        if let cluster = try await writer.store.cluster(name: Cluster.primaryName) { return cluster }
        let created = try await writer.insertCluster(
            id: writer.identifiers.id(),
            name: Cluster.primaryName,
            conninfo: "",
            by: .system
        )
        guard let created else { throw TenancyError.unknownCluster }
        return created
    }

    private static let hasClusters = Statement("SELECT to_regclass('control.clusters') IS NOT NULL", prepared: false)

    /// Returns the installation's id, or `nil` before its first start.
    private static func identity(on connection: PostgresConnection) async throws -> UUID? {
        let rows = try await connection.query(hasClusters)
        guard try rows.first?.decode(0, as: Bool.self) == true else { return nil }
        return try await ControlStore(connection).cluster(name: Cluster.primaryName)?.id
    }

    /// Connects to the control database.
    ///
    /// If it does not exist, creates it over the database `postgres`, which every server has.
    private static func connectOrCreate(
        _ owner: PostgresConfiguration,
        reactor: Reactor,
        logger: Logger
    ) async throws -> PostgresConnection {
        do throws(PostgresError) {
            return try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        } catch {
            guard error.sqlState == .undefinedDatabase, let name = owner.database ?? owner.user else { throw error }
            try await PostgresConnection.with(owner.database("postgres"), reactor: reactor, logger: logger) {
                maintenance in
                if try await createDatabase(name, over: maintenance) {
                    logger.info("the control database was created", metadata: ["database": "\(name)"])
                }
            }
            return try await connectToRecent(owner, reactor: reactor, logger: logger)
        }
    }

    /// Creates a database, unless another program creates it at the same moment.
    ///
    /// - Parameters:
    ///   - name: The name of the database.
    ///   - connection: A connection to another database of the server, as a role that can create databases.
    /// - Returns: True if this call created it.
    /// - Throws: The errors of the database.
    static func createDatabase(
        _ name: String,
        over connection: PostgresConnection
    ) async throws(PostgresError) -> Bool {
        do throws(PostgresError) {
            try await connection.script(
                "CREATE DATABASE \(PostgresConnection.quote(identifier: name)) TEMPLATE template0 ENCODING 'UTF8'",
                deadline: .seconds(60)
            )
            return true
        } catch {
            // 23505: two programs were past the check of the name.
            guard error.sqlState == .duplicateDatabase || error.sqlState == .uniqueViolation else { throw error }
            return false
        }
    }

    /// Migrates a database of the installation itself.
    ///
    /// - Parameters:
    ///   - connection: A connection to the database, as its owner.
    ///   - migrator: The migrator of the database's files.
    ///   - name: The database, as an error names it.
    ///   - version: This program's version.
    ///   - logger: The logger, which gets a line for each file.
    /// - Returns: The report of the migration.
    /// - Throws: `incompatible` if the database is newer than the program; `MigrationError`; `PostgresError`.
    static func migrate(
        _ connection: PostgresConnection,
        with migrator: Migrator,
        named name: String,
        version: String,
        logger: Logger
    ) async throws -> MigrationReport {
        let report = try await migrator.apply(connection) { file in
            logger.info("applying a migration", metadata: ["file": "\(file.line)/\(file.name)"])
        }
        guard report.newerLines.isEmpty else {
            throw TenancyError(
                .incompatible,
                "the \(name) is newer than this program (\(version)); start the release that migrated it, or a later one"
            )
        }
        return report
    }
}

extension PostgresConnection {
    private static let form = Statement(
        """
        SELECT pg_encoding_to_char(encoding)::text, to_regnamespace('auth') IS NOT NULL,
            to_regclass('mortise.migrations') IS NOT NULL
        FROM pg_database WHERE datname = current_database()
        """,
        prepared: false
    )

    /// Throws if the connected database cannot become, or cannot be, a control database.
    ///
    /// - Returns: True if an earlier start has migrated it.
    @discardableResult
    func checkDatabase() async throws -> Bool {
        guard let row = try await query(Self.form).first else { return false }
        let (encoding, hasSchema, hasLedger) = try row.decode((String, Bool, Bool).self)
        // Names of keys, workspaces and members are any text.
        guard encoding == "UTF8" else {
            throw TenancyError(
                .incompatible,
                "the database has the encoding \(encoding); create one with ENCODING 'UTF8' TEMPLATE template0"
            )
        }
        guard hasLedger || !hasSchema else {
            throw TenancyError(
                .incompatible,
                "the database has a schema auth that Mortise did not create; use a database of its own"
            )
        }
        return hasLedger
    }

    private static let databaseName = Statement("SELECT current_database()::text", prepared: false)

    /// Returns the name of the connected database, which a configuration can leave to libpq's defaults.
    func currentDatabase() async throws(PostgresError) -> String {
        guard let row = try await query(Self.databaseName).first else {
            throw PostgresError(.protocolViolation, "SELECT returned no row")
        }
        return try row.decode(0)
    }
}
