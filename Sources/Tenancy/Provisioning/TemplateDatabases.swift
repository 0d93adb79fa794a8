import FoundationEssentials
import Locks
import Logging
import Migrations
import Postgres

/// The migrated, empty databases that workspaces are cloned from: one on each cluster for each version of the schema.
///
/// A template's name contains the checksum of the files that created it. A template is complete when it is marked as
/// one and refuses connections, which is one command and the last of its creation. A template that is not marked was
/// left by a crash and is created again. Nobody can connect to a complete template, so it can always be cloned.
final class TemplateDatabases: Sendable {
    private let control: ControlDatabase
    private let options: ProvisionerOptions
    private let onStep: @Sendable (ProvisioningStep) throws -> Void
    /// The clusters whose template is known to be complete.
    private let known = Locked<Set<UUID>>([])

    init(
        _ control: ControlDatabase,
        options: ProvisionerOptions,
        onStep: @escaping @Sendable (ProvisioningStep) throws -> Void
    ) {
        self.control = control
        self.options = options
        self.onStep = onStep
    }

    /// Finds a complete template that can be cloned.
    ///
    /// PostgreSQL clones no database whose collation version is not the system library's, as after an upgrade of libc or
    /// ICU. `template0` has none, so the template is created from it again.
    private static let isComplete = Statement(
        """
        SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate AND NOT datallowconn
            AND datcollversion IS NOT DISTINCT FROM pg_database_collation_actual_version(oid)
        """,
        prepared: false
    )

    private static let isTemplate = Statement(
        "SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate",
        prepared: false
    )

    private static let others = Statement(
        "SELECT datname::text, datistemplate FROM pg_database WHERE datname ~ ('^' || $1 || '[0-9a-f]{16}$') AND datname <> $2",
        prepared: false
    )

    /// Returns the name of a cluster's template, and creates the template if there is none.
    ///
    /// - Parameters:
    ///   - cluster: The cluster.
    ///   - maintenance: An owner's connection to that server.
    ///   - control: An owner's connection to the control database, where the lock is held. Advisory locks belong to a
    ///     database, and all nodes share this one.
    /// - Returns: The name of a complete template.
    /// - Throws: `AdvisoryLock.Taken`, `MigrationError`, `PostgresError`.
    func template(
        on cluster: Cluster,
        maintenance: PostgresConnection,
        control: PostgresConnection
    ) async throws -> String {
        let name = self.control.installation.templateDatabase(checksum: try Schema.workspace.get().checksum)
        if known.withLock({ $0.contains(cluster.id) }) { return name }
        if try await !exists(name, on: maintenance) {
            try await AdvisoryLock("template databases of cluster \(cluster.id)")
                .withLock(on: control, patience: options.templatePatience) {
                    if try await exists(name, on: maintenance) { return }
                    try await create(name, on: cluster, maintenance: maintenance)
                    try await removeOthers(than: name, on: maintenance)
                }
        }
        known.withLock { _ = $0.insert(cluster.id) }
        return name
    }

    /// Forgets that a cluster's template is complete, so that the next use looks again.
    func forget(_ cluster: Cluster) {
        known.withLock { _ = $0.remove(cluster.id) }
    }

    private func exists(_ name: String, on maintenance: PostgresConnection) async throws -> Bool {
        try await !maintenance.query(Self.isComplete, [name]).isEmpty
    }

    private func create(_ name: String, on cluster: Cluster, maintenance: PostgresConnection) async throws {
        let database = PostgresConnection.quote(identifier: name)
        // An incomplete one is not marked as a template, and an outdated one is.
        let isTemplate = try await !maintenance.query(Self.isTemplate, [name]).isEmpty
        try await drop(name, isTemplate: isTemplate, on: maintenance)
        // template0 is as initdb created it. Nobody can be connected to it, which would make the command fail.
        try await maintenance.script(
            "CREATE DATABASE \(database) TEMPLATE template0 ENCODING 'UTF8'",
            deadline: options.databaseDeadline
        )
        try onStep(.templateCreated)
        try await Server(installation: control.installation, connection: maintenance).close(database: name)
        try await control.withOwner(cluster, database: name) { connection in
            _ = try await control.workspaceMigrator().apply(connection)
        }
        try onStep(.templateMigrated)
        try await maintenance.script("ALTER DATABASE \(database) WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
        try onStep(.templateCompleted)
    }

    /// Drops the templates of other releases.
    ///
    /// A node of another release creates its own again when it needs it.
    private func removeOthers(than name: String, on maintenance: PostgresConnection) async throws {
        let rows = try await maintenance.query(Self.others, [control.installation.templatePrefix, name])
        for row in rows {
            let (old, isTemplate) = try row.decode((String, Bool).self)
            do {
                try await drop(old, isTemplate: isTemplate, on: maintenance)
            } catch let error as PostgresError where error.code == .server {
                // It is being cloned at this moment, for example. It costs a few megabytes until the next release's
                // template exists.
                control.logger.notice(
                    "an old template database could not be dropped",
                    metadata: ["database": "\(old)", "error": "\(error)"]
                )
            }
        }
    }

    private func drop(_ name: String, isTemplate: Bool, on maintenance: PostgresConnection) async throws {
        if isTemplate {
            let database = PostgresConnection.quote(identifier: name)
            try await maintenance.script("ALTER DATABASE \(database) WITH IS_TEMPLATE false")
        }
        try await maintenance.drop(database: name, deadline: options.databaseDeadline)
    }
}
