public import FoundationEssentials
import KeyStore
import Postgres

/// A PostgreSQL server as its own statistics describe it at a moment.
public struct ClusterStatus: Sendable {
    /// The cluster.
    public let cluster: Cluster
    /// The hosts and ports of the server, without a role, a database or a secret; `nil` if the environment of the program names them.
    public let address: String?
    /// The number of workspaces on the cluster, whatever their state.
    public let workspaces: Int
    /// The server's answer; `nil` if it did not answer.
    public let server: ServerStatus?
    /// The reason for which the server did not answer, as a clause without names and secrets; `nil` if it answered.
    public let fault: String?
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
        /// The id of the lease's keeper.
        ///
        /// Each start of a node chooses a new one.
        public let id: UUID
        /// The time since the last renewal, in milliseconds.
        public let ageMilliseconds: Int
        /// The node of the lease; `nil` for a node of an earlier release.
        public let node: Node?
        /// True if the lease belongs to the node that asked.
        public let isOwn: Bool
        /// True if the lease has ended, because the node did not renew it in time.
        ///
        /// The node answers nothing from memory. The next change waits for it, and then deletes the lease.
        public let isSilent: Bool
    }

    /// A node as it describes itself.
    public struct Node: Sendable, Hashable {
        /// The name of the machine.
        public let host: String
        /// The number of the process.
        public let process: Int
        /// The version of the program.
        public let version: String
        /// The ids of the peppers that the node knows, the one that it prefers for new tokens first.
        public let peppers: [String]
    }

    private static let leases = Statement(
        """
        SELECT l.node_id, greatest(extract(epoch FROM clock_timestamp() - l.renewed_at) * 1000, 0)::bigint,
               n.host, n.process_id, n.version, n.peppers
        FROM fence.leases l LEFT JOIN fence.nodes n ON n.node_id = l.node_id
        ORDER BY l.renewed_at DESC, l.node_id LIMIT 1000
        """,
        name: "leases"
    )
    /// The leases in a database of an earlier release, whose nodes do not describe themselves.
    private static let earlierLeases = Statement(
        """
        SELECT node_id, greatest(extract(epoch FROM clock_timestamp() - renewed_at) * 1000, 0)::bigint,
               NULL::text, NULL::bigint, NULL::text, NULL::text[]
        FROM fence.leases ORDER BY renewed_at DESC, node_id LIMIT 1000
        """,
        name: "leases of an earlier release"
    )
    private static let fences = Statement(
        """
        SELECT count(*),
               coalesce(greatest(extract(epoch FROM clock_timestamp() - min(inserted_at)) * 1000, 0), 0)::bigint
        FROM fence.fences
        """,
        name: "fences"
    )

    /// Reads the leases and fences.
    ///
    /// - Parameters:
    ///   - connection: A connection to the cluster database.
    ///   - fencing: The fencing of this node, which knows its own leases and how long a lease is good.
    /// - Throws: The database's errors.
    init(of connection: PostgresConnection, as fencing: ClusterFencing) async throws {
        let (own, life) = (fencing.leaseIDs, fencing.leaseLife)
        leases = try await Self.leases(connection)
            .map { row in
                let id: UUID = try row.decode(0)
                let age: Int = try row.decode(1)
                let node = try row.decode(2, as: String?.self)
                    .map { host in
                        Node(
                            host: host,
                            process: try row.decode(3),
                            version: try row.decode(4),
                            peppers: try row.decode(5)
                        )
                    }
                return Lease(
                    id: id,
                    ageMilliseconds: age,
                    node: node,
                    isOwn: own.contains(id),
                    isSilent: Duration.milliseconds(age) > life
                )
            }
        let row = try await connection.query(Self.fences).first.orMissing()
        fences = try row.decode(0)
        oldestFenceMilliseconds = try row.decode(1)
    }

    private static func leases(_ connection: PostgresConnection) async throws(PostgresError) -> Rows {
        do throws(PostgresError) {
            return try await connection.query(leases)
        } catch {
            guard error.isOfOutdatedSchema else { throw error }
            return try await connection.query(earlierLeases)
        }
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
    /// Returns the state of every cluster, in the order of their names.
    ///
    /// The clusters are asked at the same time. One that does not answer in time has no state.
    ///
    /// - Throws: The control database's errors.
    public func clusterStatus() async throws -> [ClusterStatus] {
        let (clusters, counts) = try await pool.withConnection { connection in
            let clusters = try await ControlDatabase.allClusters(connection)
            let counts = try await ControlStore(connection).workspaceCountsByCluster()
            return (clusters, counts)
        }
        return await withTaskGroup(of: ClusterStatus.self) { group in
            for cluster in clusters {
                group.addTask {
                    async let fencing = self.fencingStatus(of: cluster)
                    let server: ServerStatus?
                    let fault: String?
                    do {
                        server = try await self.serverStatus(of: cluster)
                        fault = nil
                    } catch {
                        server = nil
                        fault = ClusterStatus.fault(error)
                    }
                    return ClusterStatus(
                        cluster: cluster,
                        address: (try? self.control.ownerConfiguration(cluster, database: nil))?.address,
                        workspaces: counts[cluster.id] ?? 0,
                        server: server,
                        fault: fault,
                        fencing: try? await fencing
                    )
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.cluster.name < $1.cluster.name }
        }
    }

    /// Returns the standbys of every cluster, by the cluster's name.
    ///
    /// The clusters are asked at the same time. One that does not answer in time has no standby.
    ///
    /// - Throws: The control database's errors.
    public func standbys() async throws -> [String: [ServerStatus.Standby]] {
        let clusters = try await PostgresDeadline.with(options.statusPatience) {
            try await pool.withConnection { try await ControlDatabase.allClusters($0) }
        }
        return await withTaskGroup(of: (name: String, standbys: [ServerStatus.Standby]).self) { group in
            for cluster in clusters {
                group.addTask { (cluster.name, (try? await self.serverStatus(of: cluster))?.standbys ?? []) }
            }
            return await group.reduce(into: [:]) { $0[$1.name] = $1.standbys }
        }
    }

    private func fencingStatus(of cluster: Cluster) async throws -> FencingStatus {
        try await PostgresDeadline.with(options.statusPatience) {
            try await control.withOwner(cluster, database: control.installation.clusterDatabase) {
                try await FencingStatus(of: $0, as: fencing)
            }
        }
    }

    private func serverStatus(of cluster: Cluster) async throws -> ServerStatus {
        try await PostgresDeadline.with(options.statusPatience) {
            if cluster.isPrimary { return try await pool.withConnection { try await ServerStatus(of: $0) } }
            return try await control.withOwner(cluster, database: nil) { try await ServerStatus(of: $0) }
        }
    }
}

extension ClusterStatus {
    /// Returns the reason for which a server did not answer, as a clause.
    ///
    /// The text of the server or of libpq can repeat names and input, so the clause leaves it out.
    static func fault(_ error: any Error) -> String {
        guard let error = error as? PostgresError else { return "the state could not be read" }
        if error.code == .deadlineExceeded || error.code == .poolTimedOut { return "no answer in time" }
        switch error.sqlState {
        case .invalidPassword?, .invalidAuthorization?: return "the server does not accept the role or its credential"
        case .tooManyConnections?: return "the server has no connection left"
        case .cannotConnectNow?: return "the server is starting up or shutting down"
        case .undefinedDatabase?: return "the database does not exist"
        case .insufficientPrivilege?: return "the role lacks a privilege"
        default: return error.message
        }
    }
}

extension PostgresConfiguration {
    /// The hosts and ports, or the paths of sockets; `nil` if the environment of the program names the host.
    var address: String? {
        let texts = singleHosts.compactMap { one -> String? in
            guard let host = one.parameters["host"] ?? one.parameters["hostaddr"], !host.isEmpty else { return nil }
            let port = one.parameters["port"] ?? "5432"
            if host.hasPrefix("/") { return "\(host)/.s.PGSQL.\(port)" }
            return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }
}
