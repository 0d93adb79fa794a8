import FoundationEssentials
public import KeyStore
import Keys
import Logging
import Migrations
public import Postgres

extension RestoreTarget {
    private static let hasLedger = Statement("SELECT to_regclass('mortise.migrations') IS NOT NULL", prepared: false)
    private static let exists = Statement("SELECT 1 FROM pg_database WHERE datname = $1", prepared: false)

    private static let marked = Statement(
        "SELECT datname::text FROM pg_database WHERE shobj_description(oid, 'pg_database') = $1 ORDER BY 1",
        prepared: false
    )

    /// The time limit for creating or dropping a database.
    private static let databaseDeadline = Duration.seconds(120)

    /// Prepares the runtime role of every server, and marks it as this installation's.
    public func prepareServers() async throws {
        for cluster in clusters.keys.sorted() {
            try await withServer(cluster) { server in
                try await server.prepareRole()
                try await server.setMark(inventory.installation)
            }
        }
    }

    /// Restores a database unless an earlier run did, and migrates it.
    ///
    /// A database is complete if it has the ledger of migrations: `load` must load everything in one transaction.
    ///
    /// - Parameters:
    ///   - database: The database.
    ///   - load: Loads the dump. Its parameters are the owner's connection to the new, empty database, and the version of the server.
    /// - Returns: False if an earlier run has restored the database.
    /// - Throws: The error of `load`, `MigrationError` and the databases' errors.
    public func restore(
        _ database: InstallationDatabase,
        _ load: (PostgresConfiguration, _ serverVersion: Int) async throws -> Void
    ) async throws -> Bool {
        let name = database.workspace == nil ? temporaryName : database.name
        let (isNew, version) = try await withServer(database.cluster) { server -> (Bool, Int) in
            let version = server.connection.serverVersion
            if try await isLoaded(name, of: database.cluster, on: server) { return (false, version) }
            try await create(name, on: server)
            return (true, version)
        }
        if isNew { try await load(try configuration(database.cluster, name), version) }
        let migrator = try migrator(of: database)
        _ = try await with(database.cluster, name) { try await migrator.apply($0) }
        return isNew
    }

    /// Returns true if a database exists and has the ledger of migrations.
    private func isLoaded(_ name: String, of cluster: String, on server: Server) async throws -> Bool {
        if try await server.connection.query(Self.exists, [name]).isEmpty { return false }
        return try await with(cluster, name) { connection in
            try await connection.query(Self.hasLedger).first?.decode(0, as: Bool.self) == true
        }
    }

    private func migrator(of database: InstallationDatabase) throws(MigrationError) -> Migrator {
        guard database.workspace == nil else {
            return try installation.workspaceMigrator(version: version, options: MigratorOptions())
        }
        return try installation.controlMigrator(version: version, options: MigratorOptions())
    }

    /// Creates an empty database that nobody but the owner can use.
    ///
    /// A database of an interrupted run can still have the session of a loading program, which outlived its parent.
    private func create(_ name: String, on server: Server) async throws {
        let quoted = PostgresConnection.quote(identifier: name)
        try await server.connection.drop(database: name, deadline: Self.databaseDeadline)
        try await server.connection.script(
            "CREATE DATABASE \(quoted) TEMPLATE template0 ENCODING 'UTF8'",
            deadline: Self.databaseDeadline
        )
        let literal = PostgresConnection.quote(literal: comment)
        try await server.connection.script("COMMENT ON DATABASE \(quoted) IS \(literal)")
        try await server.close(database: name)
    }

    // MARK: The hold

    private static let hold = Statement(
        "INSERT INTO control.restorations (id, moment) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        prepared: false
    )
    /// The statement that removes the workspaces of an earlier restoration, which can be in the backup itself.
    private static let forget = Statement(
        "DELETE FROM control.held_workspaces WHERE NOT EXISTS (SELECT 1 FROM control.restorations WHERE id = $1)",
        prepared: false
    )

    /// Holds the restored control database: servers do not start on it.
    ///
    /// - Parameter endSessions: Ends the sessions of all members in the same transaction.
    /// - Throws: The error of `endSessions`, and the database's errors.
    public func holdControlDatabase(_ endSessions: (AuditedTransaction) async throws -> Void) async throws {
        try await with(Cluster.primaryName, temporaryName) { connection in
            try await connection.auditedTransaction { transaction in
                try await connection.query(Self.forget, [backup])
                try await connection.query(Self.hold, [backup, inventory.moment.stored])
                try await endSessions(transaction)
                let writer = writer(in: transaction)
                for (name, text) in conninfo.sorted(by: { $0.key < $1.key }) where name != Cluster.primaryName {
                    guard let cluster = try await ControlStore(connection).cluster(name: name), cluster.conninfo != text
                    else { continue }
                    _ = try await writer.updateCluster(cluster, conninfo: text, by: .system)
                }
            }
        }
    }

    private func writer(in transaction: AuditedTransaction) -> ControlWriter {
        ControlWriter(transaction, installation: installation, identifiers: identifiers)
    }

    private static let requested = Statement(
        "SELECT state, target_state, state_event_id, organization_id FROM control.workspaces WHERE id = $1",
        prepared: false
    )
    private static let ownState = Statement("SELECT state FROM auth.workspace", prepared: false)
    private static let suspend = Statement(
        """
        UPDATE control.workspaces SET state = $2, target_state = NULL, state_event_id = $3, updated_at = now() WHERE id = $1
        """,
        prepared: false
    )
    private static let remember = Statement(
        "INSERT INTO control.held_workspaces (workspace_id) VALUES ($1) ON CONFLICT DO NOTHING",
        prepared: false
    )
    private static let apply = Statement(
        "UPDATE auth.workspace SET state = $1, generation = generation + 1 WHERE state <> $1",
        prepared: false
    )

    /// Suspends a restored workspace, and lets the service connect to its database.
    ///
    /// A workspace that was active in the control database and in its own database is remembered, so that a release can resume it. The two
    /// differ if the state changed while the backup was made. Such a workspace stays suspended, because the newer state is not known.
    ///
    /// - Parameter database: The workspace's database, which was restored.
    /// - Throws: The databases' errors.
    public func holdWorkspace(_ database: InstallationDatabase) async throws {
        guard let workspace = database.workspace else { return }
        try await with(database.cluster, database.name) { own in
            try await with(Cluster.primaryName, temporaryName) { control in
                let ownState = try await own.query(Self.ownState).first.orMissing().decode(0, as: String.self)
                try await suspend(workspace, ownState: ownState, control)
                let row = try await control.query(Self.requested, [workspace]).first.orMissing()
                let state = try row.decode(0, as: String.self)
                guard ownState != state else { return }
                // The event can be older than events are kept.
                let record = try await EventStore(control).find(try row.decode(2, as: UUID.self))
                try await own.auditedTransaction { transaction in
                    if let record { try await transaction.copy(record) }
                    try await own.query(Self.apply, [state])
                }
            }
        }
        try await withServer(database.cluster) { server in
            try await server.close(database: database.name)
            try await server.open(database: database.name)
        }
    }

    /// Gives a workspace a state in the control database in which its keys are refused, and withdraws a request for another state.
    ///
    /// An archived workspace stays archived.
    private func suspend(_ workspace: UUID, ownState: String, _ control: PostgresConnection) async throws {
        try await control.auditedTransaction { transaction in
            let row = try await control.query(Self.requested, [workspace]).first.orMissing()
            let state: WorkspaceState = try row.word(0)
            let target = try row.decode(1, as: String?.self)
            guard state == .active || target != nil else { return }
            let held: WorkspaceState = state == .archived ? .archived : .suspended
            let event = identifiers.id()
            try await control.query(Self.suspend, [workspace, held.rawValue, event])
            var changes = EventChanges()
            changes.add("state", from: state.rawValue, to: held.rawValue)
            changes.add("restored_from", inventory.moment)
            try await writer(in: transaction)
                .record(
                    held.eventType,
                    id: event,
                    workspace: workspace,
                    organization: try row.decode(3, as: UUID.self),
                    changes,
                    by: .system
                )
            if target == nil, ownState == state.rawValue { try await control.query(Self.remember, [workspace]) }
        }
    }

    /// Gives the control database its name, which completes the restoration.
    ///
    /// The service cannot connect to the control database: a server of another time can still run with the password of the runtime role.
    /// The first start after the release allows the connections.
    ///
    /// - Throws: `incompatible` if the database with that name is no longer empty; the server's errors.
    public func complete() async throws {
        try await withServer(Cluster.primaryName) { server in
            let temporary = PostgresConnection.quote(identifier: temporaryName)
            let name = PostgresConnection.quote(identifier: finalName)
            if try await !server.connection.query(Self.exists, [finalName]).isEmpty {
                // It was empty when the restoration began, which can be hours ago.
                guard try await !hasObjects(finalName, on: Cluster.primaryName) else {
                    throw TenancyError(
                        .incompatible,
                        "the database \(finalName) was created or used while the backup was restored; drop it, and run this again"
                    )
                }
                try await server.connection.drop(database: finalName, deadline: Self.databaseDeadline)
            }
            try await server.close(database: temporaryName)
            try await server.shut(database: temporaryName)
            try await server.connection.script("ALTER DATABASE \(temporary) RENAME TO \(name)")
        }
        // Last, because another run needs the comments until the installation exists.
        for cluster in clusters.keys.sorted() {
            try await withServer(cluster) { server in
                for row in try await server.connection.query(Self.marked, [comment]) {
                    let name = PostgresConnection.quote(identifier: try row.decode(0, as: String.self))
                    try await server.connection.script("COMMENT ON DATABASE \(name) IS NULL")
                }
            }
        }
    }
}
