import FoundationEssentials
import KeyStore
import Keys
import Migrations
import Postgres

extension Provisioner {
    private static let initialize = Statement(
        """
        INSERT INTO auth.workspace (workspace_id, organization_id, ref, state) VALUES ($1, $2, $3, 'active')
        ON CONFLICT (singleton) DO NOTHING
        """,
        prepared: false
    )

    private static let activate = Statement(
        """
        UPDATE control.workspaces w SET state = 'active' WHERE id = $1 AND state = 'creating'
        RETURNING \(Workspace.columns("w"))
        """
    )

    /// Clones the template, inserts the workspace's own row, lets the runtime role connect, and activates the
    /// workspace.
    ///
    /// Only the owner can connect before the last step but one, and no key can exist before the last step.
    func completeCreation(
        _ plan: ReconciliationPlan,
        cluster: Cluster,
        on connection: PostgresConnection
    ) async throws -> Workspace {
        let workspace = plan.workspace
        let isNew = try await withMaintenance(cluster, control: connection) { maintenance in
            try await clone(workspace.database, cluster: cluster, maintenance: maintenance, control: connection)
        }
        try onStep(.cloned)
        try await control.withOwner(cluster, database: workspace.database) { database in
            if !isNew {
                // An earlier attempt cloned it, perhaps one of an earlier release.
                _ = try await control.workspaceMigrator().apply(database)
            }
            try await database.auditedTransaction { transaction in
                try await transaction.connection.query(
                    Self.initialize,
                    [workspace.id, workspace.organizationID, workspace.ref.text]
                )
                if let event = plan.event { try await transaction.copy(event) }
            }
            try onStep(.initialized)
            try await Server(installation: control.installation, connection: database)
                .open(database: workspace.database)
            try onStep(.opened)
        }
        guard let row = try await connection.query(Self.activate, [workspace.id]).first else {
            throw TenancyError.unknownWorkspace
        }
        try onStep(.activated)
        return try Workspace(row: row)
    }

    /// Clones the template.
    ///
    /// - Returns: False if the database exists already. `CREATE DATABASE` creates all of it or nothing.
    private func clone(
        _ name: String,
        cluster: Cluster,
        maintenance: PostgresConnection,
        control: PostgresConnection
    ) async throws -> Bool {
        var template = try await templates.template(on: cluster, maintenance: maintenance, control: control)
        let database = PostgresConnection.quote(identifier: name)
        let server = Server(installation: self.control.installation, connection: maintenance)
        var attempt = 1
        while true {
            do throws(PostgresError) {
                // WAL_LOG needs no checkpoint, which FILE_COPY forces twice: several times faster for a small template.
                try await maintenance.script(
                    """
                    CREATE DATABASE \(database) TEMPLATE \(PostgresConnection.quote(identifier: template)) STRATEGY wal_log
                    """,
                    deadline: options.databaseDeadline
                )
                // The permissions of a database are not cloned with it, and by default everybody can connect.
                try await server.close(database: name)
                return true
            } catch {
                switch error.sqlState {
                // 23505 instead of 42P04: the session of a node that was killed went on, and ended while this one
                // waited for it.
                case .duplicateDatabase, .uniqueViolation:
                    try await server.close(database: name)
                    return false
                case .undefinedDatabase where attempt == 1, .internalError where attempt == 1:
                    // The program of another release has replaced the template since this node last looked, or its collation version no
                    // longer fits the system's library.
                    attempt += 1
                    templates.forget(cluster)
                    template = try await templates.template(
                        on: cluster,
                        maintenance: maintenance,
                        control: control
                    )
                default: throw error
                }
            }
        }
    }

    /// Lends a connection to the server on which a cluster's databases are created and dropped.
    ///
    /// On the primary cluster this is the control connection itself, which saves a connection.
    func withMaintenance<T>(
        _ cluster: Cluster,
        control: PostgresConnection,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        if cluster.isPrimary { return try await body(control) }
        return try await self.control.withOwner(cluster, database: nil, body)
    }
}
