public import FoundationEssentials
import KeyStore
import Postgres

/// A PostgreSQL server as its own statistics describe it at a moment.
public struct ClusterStatus: Sendable {
    /// The cluster.
    public let cluster: Cluster
    /// The server's answer; `nil` if it did not answer.
    public let server: ServerStatus?
    /// The leases and fences of the cluster; `nil` if the server did not answer.
    public let fencing: FencingStatus?
}

/// The leases and fences of a cluster, as its database has them.
public struct FencingStatus: Sendable, Hashable {
    /// The nodes that have a lease or had one lately, those first that renewed last.
    public let leases: [Lease]
    /// The number of fences that stand: changes that are under way.
    public let fences: Int
    /// The age of the oldest fence, in milliseconds; 0 without one.
    public let oldestFenceMilliseconds: Int

    /// The lease of a node.
    public struct Lease: Sendable, Hashable {
        /// The id of the lease's keeper, which each start of a node chooses anew.
        public let id: UUID
        /// The time since the last renewal, in milliseconds.
        public let ageMilliseconds: Int
    }

    private static let leases = Statement(
        """
        SELECT node_id, greatest(extract(epoch FROM clock_timestamp() - renewed_at) * 1000, 0)::bigint
        FROM fence.leases ORDER BY renewed_at DESC, node_id LIMIT 1000
        """,
        name: "leases"
    )
    private static let fences = Statement(
        """
        SELECT count(*),
               coalesce(greatest(extract(epoch FROM clock_timestamp() - min(inserted_at)) * 1000, 0), 0)::bigint
        FROM fence.fences
        """,
        name: "fences"
    )

    init(of connection: PostgresConnection) async throws {
        leases = try await connection.query(Self.leases)
            .map { Lease(id: try $0.decode(0), ageMilliseconds: try $0.decode(1)) }
        let row = try await connection.query(Self.fences).first.orMissing()
        fences = try row.decode(0)
        oldestFenceMilliseconds = try row.decode(1)
    }
}

/// The state of a PostgreSQL server.
public struct ServerStatus: Sendable, Hashable {
    /// The version, such as `15.4`.
    public let version: String
    /// True if the server is a standby, which accepts no changes.
    public let isStandby: Bool
    /// The connections of all clients.
    public let connections: Int
    /// The value of `max_connections`.
    public let maximumConnections: Int
    /// The standbys that follow the server; empty if the role lacks the right to see them (`pg_read_all_stats`).
    public let standbys: [Standby]

    /// A standby that follows the server.
    public struct Standby: Sendable, Hashable {
        /// The name that the standby gave itself.
        public let name: String
        /// The state, such as `streaming`.
        public let state: String
        /// `async`, `potential`, `sync` or `quorum`.
        public let synchronization: String
        /// The bytes of the log that the standby has not replayed.
        public let lagBytes: Int
        /// The time that the standby needs to replay a change, in milliseconds; 0 if the server has been idle.
        public let lagMilliseconds: Int
    }

    private static let server = Statement(
        """
        SELECT split_part(current_setting('server_version'), ' ', 1), pg_is_in_recovery(),
               (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
               current_setting('max_connections')::int
        """,
        name: "server status"
    )

    /// The position of a server that is a standby itself is that of its replay.
    private static let standbys = Statement(
        """
        SELECT coalesce(application_name, ''), state, coalesce(sync_state, ''),
               greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                   ELSE pg_current_wal_lsn() END, replay_lsn), 0)::bigint,
               coalesce(extract(epoch FROM replay_lag) * 1000, 0)::bigint
        FROM pg_stat_replication WHERE state IS NOT NULL AND replay_lsn IS NOT NULL ORDER BY 1
        """,
        name: "standbys"
    )

    init(of connection: PostgresConnection) async throws {
        let row = try await connection.query(Self.server).first.orMissing()
        version = try row.decode(0)
        isStandby = try row.decode(1)
        connections = try row.decode(2)
        maximumConnections = Int(try row.decode(3, as: Int32.self))
        standbys = try await connection.query(Self.standbys)
            .map { row in
                Standby(
                    name: try row.decode(0),
                    state: try row.decode(1),
                    synchronization: try row.decode(2),
                    lagBytes: try row.decode(3),
                    lagMilliseconds: try row.decode(4)
                )
            }
    }
}

extension Provisioner {
    /// The time that one server has to answer.
    private static var patience: Duration { .seconds(2) }

    /// Returns the state of every cluster, in the order of their names.
    ///
    /// The clusters are asked at the same time. One that does not answer within two seconds has no state.
    ///
    /// - Throws: The control database's errors.
    public func clusterStatus() async throws -> [ClusterStatus] {
        let clusters = try await pool.withConnection { try await ControlDatabase.allClusters($0) }
        return await withTaskGroup(of: ClusterStatus.self) { group in
            for cluster in clusters {
                group.addTask {
                    async let fencing = self.fencing(of: cluster)
                    return ClusterStatus(
                        cluster: cluster,
                        server: try? await self.server(of: cluster),
                        fencing: try? await fencing
                    )
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.cluster.name < $1.cluster.name }
        }
    }

    private func fencing(of cluster: Cluster) async throws -> FencingStatus {
        try await PostgresDeadline.with(Self.patience) {
            try await control.withOwner(cluster, database: control.installation.clusterDatabase) {
                try await FencingStatus(of: $0)
            }
        }
    }

    private func server(of cluster: Cluster) async throws -> ServerStatus {
        try await PostgresDeadline.with(Self.patience) {
            if cluster.isPrimary { return try await pool.withConnection { try await ServerStatus(of: $0) } }
            return try await control.withOwner(cluster, database: nil) { try await ServerStatus(of: $0) }
        }
    }
}
