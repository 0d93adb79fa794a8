import Fence
import FoundationEssentials
public import KeyStore
import Keys
import Logging
import Migrations
import Postgres

extension ControlDatabase {
    private static let databases = Statement(
        "SELECT datname::text FROM pg_database WHERE datname = ANY ($1)",
        prepared: false
    )

    private static let workspaces = Statement(
        """
        SELECT database FROM control.workspaces WHERE cluster_id = $1 AND state NOT IN ('creating', 'deleting') ORDER BY database
        """,
        prepared: false
    )

    /// Changes the connection string of a cluster, after it has connected to the server, which must hold the databases of the cluster's
    /// workspaces.
    ///
    /// The server can be another one: a standby that was promoted, or one to which the databases were restored. Nodes that run go on with
    /// the connection string that they know until they are restarted.
    ///
    /// - Parameters:
    ///   - name: The cluster's name.
    ///   - conninfo: The connection string, as for ``addCluster(name:conninfo:by:)``.
    ///   - attribution: The actor.
    /// - Returns: The cluster.
    /// - Throws: `unknownCluster`, `invalid` naming the field, `incompatible`, `wrongState` if nodes use the present server and it is
    ///   another one that still runs, and `PostgresError` if the server cannot be reached.
    public func updateCluster(
        name: String,
        conninfo: String,
        by attribution: Attribution = .system
    ) async throws -> Cluster {
        let canonical = try Self.canonical(conninfo)
        return try await withOwner(primary, database: nil) { control in
            let cluster = try await changeable(name, control)
            let candidate = Cluster(id: cluster.id, name: name, conninfo: canonical, createdAt: cluster.createdAt)
            return try await withOwner(candidate, database: nil) { remote in
                try await changingClusters(control) {
                    let server = Server(installation: installation, connection: remote)
                    try await server.checkMark(primary.id)
                    try await requireNew(server, control: control, besides: cluster)
                    try await requireDatabases(of: cluster, on: remote, control: control)
                    try await requireUnused(cluster, besides: try await ServerTimeline.read(on: remote))
                    try await server.prepareRole()
                    try await prepareClusterDatabase(of: candidate, on: server)
                    try await server.setMark(primary.id)
                    let updated = try await control.auditedTransaction { transaction in
                        try await writer(in: transaction).updateCluster(cluster, conninfo: canonical, by: attribution)
                    }
                    try await server.setPassword(credentials.runtimePassword(cluster.id))
                    return updated
                }
            }
        }
    }

    /// Removes a cluster that holds no workspace.
    ///
    /// Its server is released, if it can be reached: another installation can use it then.
    ///
    /// - Throws: `unknownCluster`, `invalid` for the primary cluster, `wrongState` if the cluster holds workspaces.
    public func removeCluster(name: String, by attribution: Attribution = .system) async throws {
        try await withOwner(primary, database: nil) { control in
            let cluster = try await changeable(name, control)
            do {
                try await control.auditedTransaction { transaction in
                    try await writer(in: transaction).deleteCluster(cluster, by: attribution)
                }
            } catch let error as PostgresError where error.sqlState == .foreignKeyViolation {
                throw TenancyError(
                    .wrongState,
                    "the cluster \(name) holds workspaces; delete them first",
                    field: "name"
                )
            }
            do {
                try await withOwner(cluster, database: nil) { remote in
                    try await remote.drop(database: installation.clusterDatabase, deadline: .seconds(60))
                    try await Server(installation: installation, connection: remote).removeMark(of: primary.id)
                }
            } catch {
                logger.notice(
                    "the server of a removed cluster could not be released",
                    metadata: ["cluster": "\(name)", "error": "\(error)"]
                )
            }
        }
    }

    /// Returns a cluster other than the primary one.
    private func changeable(_ name: String, _ control: PostgresConnection) async throws -> Cluster {
        guard let cluster = try await ControlStore(control).cluster(name: name) else {
            throw TenancyError.unknownCluster
        }
        guard !cluster.isPrimary else {
            throw TenancyError(
                .invalid,
                "the primary cluster is the server of the control database, which MORTISE_DATABASE_URL names",
                field: "name"
            )
        }
        return cluster
    }

    private static let leases = Statement(
        "SELECT count(*) FROM fence.leases WHERE renewed_at > now() - interval '10 seconds'",
        prepared: false
    )

    /// Throws if nodes use the present server of a cluster, and it is another one than the new server.
    ///
    /// They would go on to accept what is revoked on the new one. A server that cannot be reached, or is a standby now, is no such server.
    private func requireUnused(_ cluster: Cluster, besides new: ServerTimeline) async throws {
        guard let old = try? await connectAsOwner(cluster, database: installation.clusterDatabase) else { return }
        let count = try await withResource(old) { old -> Int64 in
            guard let timeline = try? await ServerTimeline.read(on: old), timeline != new else { return 0 }
            return try await old.query(Self.leases).first?.decode(0) ?? 0
        } close: {
            await $0.close()
        }
        guard count > 0 else { return }
        throw TenancyError(
            .wrongState,
            """
            the present server of the cluster is not the new server, still runs, and is in use (nodes: \(count)); stop that server, or all nodes, \
            and try again
            """,
            field: "conninfo"
        )
    }

    private func requireDatabases(
        of cluster: Cluster,
        on remote: PostgresConnection,
        control: PostgresConnection
    ) async throws {
        let needed = try await control.query(Self.workspaces, [cluster.id]).map { try $0.decode(0, as: String.self) }
        let found = Set(try await remote.query(Self.databases, [needed]).map { try $0.decode(0, as: String.self) })
        let missing = needed.filter { !found.contains($0) }
        guard let first = missing.first else { return }
        throw TenancyError(
            .invalid,
            "the server lacks \(missing.count) of the \(needed.count) databases of this cluster, such as \(first)",
            field: "conninfo"
        )
    }
}
