public import FoundationEssentials
import Locks
public import Postgres

/// The connections of one node to one cluster at a moment.
public struct ClusterConnections: Sendable, Hashable {
    /// The cluster.
    public let clusterID: UUID
    /// The workspaces with a look-up connection.
    public let lookups: Int
    /// The maximum number of look-up connections at this moment.
    public let lookupLimit: Int
    /// The callers that wait for a look-up connection.
    public let waitingLookups: Int
    /// The workspaces with connections for changes and lists.
    public let managedWorkspaces: Int
    /// The connections for changes, lists and overviews.
    public let managed: PoolFigures
}

/// The connections of a pool, or of several, at a moment.
public struct PoolFigures: Sendable, Hashable {
    /// The open connections, idle ones included.
    public var open: Int
    /// The idle connections.
    public var idle: Int
    /// The callers that wait for a connection.
    public var waiting: Int

    init(_ pools: [PostgresPool]) {
        self.init()
        for pool in pools {
            let usage = pool.usage
            open += usage.open
            idle += usage.idle
            waiting += usage.waiting
        }
    }

    /// Creates figures.
    public init(open: Int = 0, idle: Int = 0, waiting: Int = 0) {
        self.open = open
        self.idle = idle
        self.waiting = waiting
    }

    /// Adds the connections of other pools.
    public mutating func add(_ other: PoolFigures) {
        open += other.open
        idle += other.idle
        waiting += other.waiting
    }
}

extension Databases {
    /// The connections to each cluster that this node has used.
    public var clusterConnections: [ClusterConnections] {
        caches.entries.map { id, caches in
            let pools = caches.all.flatMap { $0.values }
            return ClusterConnections(
                clusterID: id,
                lookups: caches.lookups.count,
                lookupLimit: caches.lookups.limit,
                waitingLookups: caches.lookups.waitingCount,
                managedWorkspaces: caches.pools.count,
                managed: PoolFigures(pools)
            )
        }
    }

    /// The connections to the control database, by their purpose: changes, reads, usage and stops.
    public var controlPools: [(purpose: String, figures: PoolFigures)] {
        [
            ("changes", PoolFigures([control.pool])), ("reads", PoolFigures([control.readers])),
            ("usage", PoolFigures([control.usage])), ("stops", PoolFigures([control.stops])),
        ]
    }

    /// The look-ups of all pipelines that are open, since their creation.
    public var lookupStatistics: PostgresPipeline.Statistics { control.lookups.statistics }
}
