public import FoundationEssentials
import KeyStore
public import Keys
import Migrations
public import Postgres

/// A database that a backup of an installation has.
public struct InstallationDatabase: Sendable, Hashable {
    /// The name of the database.
    public var name: String
    /// The name of the cluster that holds the database.
    public var cluster: String
    /// The workspace, or `nil` for the control database.
    public var workspace: UUID?

    /// Describes a database.
    public init(name: String, cluster: String, workspace: UUID?) {
        self.name = name
        self.cluster = cluster
        self.workspace = workspace
    }
}

/// The contents of an installation at one instant, as its control database lists them.
///
/// The databases of leases and fences, and the templates, are not part of it: a start creates them again.
public struct InstallationInventory: Sendable {
    /// The id of the installation, which is the id of its primary cluster.
    public var installation: UUID
    /// The instant before which every committed change is in the databases.
    public var moment: Timestamp
    /// The version of PostgreSQL as a number: 150004 is 15.4.
    public var serverVersion: Int
    /// The connection strings of the clusters, by their names.
    ///
    /// The primary cluster's is empty.
    public var clusters: [String: String]
    /// The control database, and the databases of all workspaces.
    public var databases: [InstallationDatabase]
    /// The migration files that the control database has, by their lines.
    public var migrations: [String: [String]]

    /// Describes an installation.
    public init(
        installation: UUID,
        moment: Timestamp,
        serverVersion: Int,
        clusters: [String: String],
        databases: [InstallationDatabase],
        migrations: [String: [String]]
    ) {
        self.installation = installation
        self.moment = moment
        self.serverVersion = serverVersion
        self.clusters = clusters
        self.databases = databases
        self.migrations = migrations
    }
}

extension ControlDatabase {
    private static let clock = Statement("SELECT clock_timestamp()", prepared: false)
    /// The snapshot ends with the transaction, which a server can end when it is idle for long, as it is during a dump.
    private static let snapshot = Statement(
        "SELECT pg_export_snapshot(), set_config('idle_in_transaction_session_timeout', '0', true)",
        prepared: false
    )
    private static let inventoried = Statement(
        """
        SELECT w.database, c.name, w.id FROM control.workspaces w JOIN control.clusters c ON c.id = w.cluster_id
        WHERE w.state NOT IN ('creating', 'deleting') ORDER BY w.id
        """,
        prepared: false
    )
    private static let isKept = Statement(
        "SELECT 1 FROM control.workspaces WHERE id = $1 AND state <> 'deleting'",
        prepared: false
    )

    /// Lists the installation in a snapshot that other sessions can use while `body` runs.
    ///
    /// - Parameter body: Gets the inventory and the id of the snapshot, for `pg_dump --snapshot`.
    /// - Returns: The value of `body`.
    /// - Throws: `incompatible` for a standby, the error of `body`, and the database's errors.
    public func withInventory<Value>(
        _ body: (InstallationInventory, _ snapshot: String) async throws -> Value
    ) async throws -> Value {
        try await withOwner(primary, database: nil) { connection in
            try await Self.requirePrimary(connection, of: primary.name)
            // Before the snapshot: a change that is committed after this instant can be missing.
            let moment = try await connection.query(Self.clock).first.orMissing().timestamp(0)
            return try await connection.transaction(
                TransactionOptions(isolation: .repeatableRead, isReadOnly: true)
            ) { connection in
                let snapshot = try await connection.query(Self.snapshot).first.orMissing().decode(0, as: String.self)
                return try await body(try await inventory(moment, on: connection), snapshot)
            }
        }
    }

    private static let isStandby = Statement("SELECT pg_is_in_recovery()", prepared: false)

    /// Throws for a standby: a backup states until when it has every change, and a standby does not know what it lacks.
    private static func requirePrimary(_ connection: PostgresConnection, of cluster: String) async throws {
        guard try await connection.query(isStandby).first.orMissing().decode(0) else { return }
        throw TenancyError(
            .incompatible,
            "the server of the cluster \(cluster) is a standby, which can lack the last changes; back up its primary"
        )
    }

    private func inventory(_ moment: Timestamp, on connection: PostgresConnection) async throws -> InstallationInventory
    {
        let clusters = try await Self.allClusters(connection)
        let workspaces = try await connection.query(Self.inventoried)
            .map { row in
                InstallationDatabase(
                    name: try row.decode(0),
                    cluster: try row.decode(1),
                    workspace: try row.decode(2, as: UUID.self)
                )
            }
        let plans = try await installation.controlMigrator(version: version, options: migratorOptions).plan(connection)
        let control = InstallationDatabase(
            name: try await connection.currentDatabase(),
            cluster: primary.name,
            workspace: nil
        )
        return InstallationInventory(
            installation: primary.id,
            moment: moment,
            serverVersion: connection.serverVersion,
            clusters: Dictionary(clusters.map { ($0.name, $0.conninfo) }) { first, _ in first },
            databases: [control] + workspaces,
            migrations: Dictionary(plans.map { ($0.line, ($0.applied + $0.missing).map(\.name)) }) { first, _ in first }
        )
    }

    /// Returns the owner's connection to a database of the installation, which was tried, and the version of its server.
    ///
    /// - Throws: `unknownCluster` if the cluster was removed; `incompatible` for a standby; `PostgresError` if the database cannot be
    ///   reached.
    public func connection(
        to database: InstallationDatabase
    ) async throws -> (configuration: PostgresConfiguration, serverVersion: Int) {
        let cluster = try await withOwner(primary, database: nil) {
            try await ControlStore($0).cluster(name: database.cluster)
        }
        guard let cluster else { throw TenancyError.unknownCluster }
        let version = try await withOwner(cluster, database: database.name) { connection in
            try await Self.requirePrimary(connection, of: cluster.name)
            return connection.serverVersion
        }
        return (try ownerConfiguration(cluster, database: database.name), version)
    }

    /// Returns false if a workspace was deleted, or is being deleted.
    public func keeps(workspace: UUID) async throws -> Bool {
        try await withOwner(primary, database: nil) { try await !$0.query(Self.isKept, [workspace]).isEmpty }
    }
}
