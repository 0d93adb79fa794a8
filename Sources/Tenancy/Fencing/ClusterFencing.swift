public import Fence
public import FoundationEssentials
import Locks
public import Postgres

/// The leases of this node and the fences around its changes: one of each for a cluster (decision 0014).
///
/// They use the cluster database, which stands on the same server as the keys.
public final class ClusterFencing: Sendable {
    /// The connections to a cluster database, and the fences over them.
    private struct Gate {
        let pool: PostgresPool
        let fences: ClusterFences
    }

    private struct State {
        var keepers: [UUID: LeaseKeeper] = [:]
        var gates: [UUID: Gate] = [:]
        var limits: [UUID: LimitExchange] = [:]
        var isShutDown = false
    }

    private let control: ControlDatabase
    private let maximumConnections: Int
    private let times: FenceTimes
    /// The maximum time of a fence's statement, which includes the wait for a standby.
    private let statementDeadline: Duration
    /// The time that a fence's statement gets even if its change has none left.
    private let leastTime: Duration
    /// The maximum time of an exchange of rate limits.
    private let limitDeadline: Duration
    private let state = Locked(State())

    /// Creates the fencing of an installation, without a connection.
    ///
    /// - Parameters:
    ///   - control: The control database.
    ///   - maximumConnections: The maximum number of connections for changes to each cluster. A change uses one, so it should be the number of
    ///     changes that can be under way at once.
    ///   - times: The durations of the protocol, which all nodes share.
    ///   - statementDeadline: The maximum time of a fence's statement, which includes the wait for a standby, and of the wait for its
    ///     connection. In a change with a common deadline that is nearer, it is all the time that the change has left.
    ///   - leastTime: The time that a fence's statement gets even if its change has none left.
    ///   - limitDeadline: The maximum time of an exchange of rate limits, which includes the wait for its connection.
    public init(
        _ control: ControlDatabase,
        maximumConnections: Int = 32,
        times: FenceTimes = .standard,
        statementDeadline: Duration = .seconds(10),
        leastTime: Duration = .seconds(1),
        limitDeadline: Duration = .milliseconds(500)
    ) {
        self.control = control
        self.maximumConnections = maximumConnections
        self.times = times
        self.statementDeadline = max(statementDeadline, leastTime)
        self.leastTime = leastTime
        self.limitDeadline = limitDeadline
    }

    /// Leaves all clusters, so that no change waits for this node, and closes the connections.
    public func shutdown() async {
        let (keepers, gates, limits) = state.withLock { state in
            state.isShutDown = true
            defer { (state.keepers, state.gates, state.limits) = ([:], [:], [:]) }
            return (state.keepers.values, state.gates.values, state.limits.values)
        }
        for exchange in limits { await exchange.shutdown() }
        for keeper in keepers { await keeper.shutdown() }
        for gate in gates { await gate.pool.shutdown() }
    }

    /// Returns the keeper of this node's lease on a cluster.
    ///
    /// The first call for a cluster starts it.
    ///
    /// - Throws: `closed` after the shutdown, or if the system provides no descriptors; `invalidConfiguration`.
    public func keeper(of cluster: Cluster) throws(PostgresError) -> LeaseKeeper {
        try self.state.withLock { state throws(PostgresError) in try keeper(of: cluster, &state) }
    }

    private func keeper(of cluster: Cluster, _ state: inout State) throws(PostgresError) -> LeaseKeeper {
        if let keeper = state.keepers[cluster.id] { return keeper }
        guard !state.isShutDown else { throw Self.shutDown }
        // The first request for a cluster starts its keeper, which goes on for as long as this node runs.
        let keeper = try PostgresDeadline.without { () throws(PostgresError) in
            try LeaseKeeper(try configuration(cluster), times: times, logger: control.logger)
        }
        state.keepers[cluster.id] = keeper
        return keeper
    }

    /// Returns the exchange of rate limits with the other nodes of a cluster.
    ///
    /// - Throws: The errors of ``keeper(of:)``.
    public func limits(of cluster: Cluster) throws(PostgresError) -> LimitExchange {
        try self.state.withLock { state throws(PostgresError) in
            if let exchange = state.limits[cluster.id] { return exchange }
            let keeper = try keeper(of: cluster, &state)
            let exchange = LimitExchange(
                try configuration(cluster),
                deadline: limitDeadline,
                view: keeper.view,
                reactor: control.reactor,
                logger: control.logger
            )
            state.limits[cluster.id] = exchange
            return exchange
        }
    }

    /// Returns true if this node cannot renew its lease on a cluster, which the log says once.
    func isCutOff(from clusterID: UUID) -> Bool { state.withLock { $0.keepers[clusterID]?.isCutOff ?? false } }

    /// The ids of this node's leases: one for each cluster that the node has used.
    public var leaseIDs: Set<UUID> { Set(state.withLock { $0.keepers.values.map(\.node) }) }

    /// The time for which a lease is good after its renewal.
    public var leaseLife: Duration { times.trust }

    /// The numbers of this node's leases that are good and that are not, and of the fences that it has raised and not lifted.
    public var figures: (good: Int, lost: Int, fences: Int) {
        let now = Moment.now
        return state.withLock { $0.keepers.values.map(\.view) }
            .reduce(into: (0, 0, 0)) { sum, view in
                if view.lease(at: now) == nil { sum.1 += 1 } else { sum.0 += 1 }
                sum.2 += view.raisedCount
            }
    }

    /// Makes a change under fences, and returns when no verification that starts from now on sees an older state.
    ///
    /// - Parameters:
    ///   - keys: The keys that the change is about.
    ///   - cluster: The cluster of the keys.
    ///   - change: Commits the change. It runs at most once.
    /// - Returns: The value of the change.
    /// - Throws: The error of the change, or ``FenceError``.
    public func perform<Value>(
        _ keys: FencedKeys,
        on cluster: Cluster,
        _ change: () async throws -> Value
    ) async throws -> Value {
        try await fences(of: cluster).perform(keys, change)
    }

    private func fences(of cluster: Cluster) throws(PostgresError) -> ClusterFences {
        try self.state.withLock { state throws(PostgresError) in
            if let gate = state.gates[cluster.id] { return gate.fences }
            guard !state.isShutDown else { throw Self.shutDown }
            var configuration = try configuration(cluster)
                .setting("default_transaction_isolation", "read committed")
                .setting("statement_timeout", "\(statementDeadline.timeoutMilliseconds)ms")
            configuration.connectDeadline = min(configuration.connectDeadline, statementDeadline)
            configuration.queryDeadline = statementDeadline
            configuration.cancellationPatience = statementDeadline / 2
            let pool = PostgresPool(
                configuration,
                options: PostgresPoolOptions(
                    maximumConnections: maximumConnections,
                    leaseDeadline: statementDeadline
                ),
                reactor: control.reactor,
                logger: control.logger
            )
            let fences = ClusterFences(
                pool,
                times: times,
                statementDeadline: statementDeadline,
                leastTime: leastTime,
                logger: control.logger
            )
            let gate = Gate(pool: pool, fences: fences)
            state.gates[cluster.id] = gate
            return gate.fences
        }
    }

    private func configuration(_ cluster: Cluster) throws(PostgresError) -> PostgresConfiguration {
        try control.runtimeConfiguration(cluster, database: control.installation.clusterDatabase)
    }

    private static let shutDown = PostgresError(.closed, "this node is shutting down")
}
