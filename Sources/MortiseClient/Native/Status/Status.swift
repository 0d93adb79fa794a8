#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// The state of an installation, as the node sees it that answered.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "status")
    public struct Status: Sendable, Hashable {
        /// The node that answered.
        public let nodes: [Node]
        /// The node's connections to the control database.
        public let controlPools: [Pool]
        /// The keys in the node's memory.
        public let memory: Memory
        /// The PostgreSQL servers, in the order of their names.
        public let clusters: [Cluster]
    }
}

extension Mortise.Status {
    /// A running server.
    public struct Node: Sendable, Hashable, Identifiable {
        /// The id of the node.
        ///
        /// Each start chooses a new one.
        public let id: String
        /// The version of the program.
        public let version: String
        /// The time of the start.
        public let startedAt: Date
    }

    /// The connections of a pool.
    public struct Pool: Sendable, Hashable {
        /// The purpose of the connections, such as `changes`.
        public let purpose: String
        /// The number of open connections, idle ones included.
        public let open: Int
        /// The number of idle connections.
        public let idle: Int
        /// The number of requests that wait for a connection.
        public let waiting: Int
    }

    /// The keys in the memory of a node.
    public struct Memory: Sendable, Hashable {
        /// The number of keys.
        public let keys: Int
        /// The estimated size, in bytes.
        public let bytes: Int
    }

    /// The lease of a node, which lets the node answer from memory.
    public struct Lease: Sendable, Hashable, Identifiable {
        /// The id of the lease.
        ///
        /// Each start of a node chooses a new one.
        public let id: String
        /// The name of the node's machine, or `nil` for a node of an earlier release.
        public let host: String?
        /// The number of the node's process.
        public let processID: Int?
        /// The version of the node's program.
        public let version: String?
        /// The ids of the peppers that the node knows.
        ///
        /// New tokens use the first one that all nodes know.
        public let peppers: [String]?
        /// The time since the node renewed the lease, in milliseconds.
        public let ageMilliseconds: Int
        /// True if the lease belongs to the node that answered.
        public let isOwn: Bool
        /// True if the node did not renew the lease in time.
        ///
        /// The node answers nothing from memory, and the next change waits for it.
        public let isSilent: Bool
    }

    /// The look-up connections of a node to one PostgreSQL server.
    public struct Lookups: Sendable, Hashable {
        /// The number of workspaces with a connection.
        public let open: Int
        /// The maximum, or `nil` before the first look-up.
        public let limit: Int?
        /// The number of requests that wait for a connection.
        public let waiting: Int
    }

    /// A PostgreSQL server.
    public struct Cluster: Sendable, Hashable, Identifiable {
        /// The id of the cluster.
        public let id: String
        /// The name of the cluster.
        public let name: String
        /// The hosts and ports of the server, or `nil` if the environment of the program names them.
        public let address: String?
        /// The number of workspaces on the cluster, whatever their state.
        public let workspaces: Int
        /// True if the server answered.
        public let isReachable: Bool
        /// The reason for which the server did not answer, or `nil` if it answered.
        public let fault: String?
        /// The version of PostgreSQL, or `nil` if the server did not answer.
        public let version: String?
        /// The number of connections of all clients of the server.
        public let connections: Int?
        /// The maximum number of connections of the server.
        public let maximumConnections: Int?
        /// The look-up connections of the node.
        public let lookups: Lookups
        /// The node's connections for changes and lists.
        public let changes: Pool
        /// The leases of the nodes, those first that were renewed last.
        public let leases: [Lease]
        /// The number of changes that are under way, or `nil` if the server did not answer.
        public let fences: Int?
        /// The age of the oldest change that is under way, in milliseconds.
        public let oldestFenceMilliseconds: Int?
        /// The standbys that follow the server.
        public let standbys: [Standby]
    }

    /// A standby of a PostgreSQL server.
    public struct Standby: Sendable, Hashable {
        /// The name that the standby gave itself.
        public let name: String
        /// The state, such as `streaming`.
        public let state: String
        /// `async`, `potential`, `sync` or `quorum`.
        public let synchronization: String
        /// The bytes of the log that the standby has not replayed.
        public let lagBytes: Int
        /// The time that the standby needs to replay a change, in milliseconds; 0 on an idle server.
        public let lagMilliseconds: Int
    }
}
