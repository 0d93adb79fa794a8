public import Fence
public import FoundationEssentials
import Locks
public import Postgres

/// The leases of this node and the fences around its changes: one of each for a cluster (decision 0014).
///
/// They use the cluster database, which stands on the same server as the keys.
public final class ClusterFencing: Sendable {
    /// The changes that share connections to the cluster databases.
    public enum Lane: Sendable, Hashable {
        /// Changes that stop nothing.
        case changes
        /// Changes that stop keys or workspaces, and wait for nobody for long.
        case stops
    }

    private struct GateID: Hashable {
        let cluster: UUID
        let lane: Lane
    }

    /// The connections of a lane to a cluster database, the fences over them, and the places of the changes of keys.
    private struct Gate {
        let pool: PostgresPool
        let fences: ClusterFences
        let places: FairPlaces

        func shutdown() async {
            await places.shutdown()
            await fences.untilLifted()
            await pool.shutdown()
        }
    }

    private struct State {
        var keepers: [UUID: LeaseKeeper] = [:]
        var gates: [GateID: Gate] = [:]
        var limits: [UUID: LimitExchange] = [:]
        var isShutDown = false
    }

    private let control: ControlDatabase
    private let node: NodeDescription
    private let maximumChanges: Int
    private let maximumStops: Int
    private let times: FenceTimes
    /// The maximum time of a fence's statement, which includes the wait for a standby.
    private let statementDeadline: Duration
    /// The time that a fence's statement gets even if its change has none left.
    private let leastTime: Duration
    /// The maximum time of an exchange of rate limits.
    private let limitDeadline: Duration
    /// The least time between two deletions of rows that no limit needs.
    private let limitCleaning: Duration
    private let state = Locked(State())

    /// Creates the fencing of an installation, without a connection.
    ///
    /// - Parameters:
    ///   - control: The control database.
    ///   - node: The node, as the others see it. Defaults to one without peppers.
    ///   - maximumChanges: The maximum number of changes that are under fences at once on each cluster, and that stop nothing. Each uses a
    ///     connection.
    ///   - maximumStops: The same for changes that stop keys. Suspensions and archivings of workspaces have ``workspaceStops`` more.
    ///   - times: The durations of the protocol, which all nodes share.
    ///   - statementDeadline: The maximum time of a fence's statement, which includes the wait for a standby, and of the wait for its
    ///     connection. In a change with a common deadline that is nearer, it is all the time that the change has left.
    ///   - leastTime: The time that a fence's statement gets even if its change has none left.
    ///   - limitDeadline: The maximum time of an exchange of rate limits, which includes the wait for its connection.
    ///   - limitCleaning: The least time between two deletions of rows that no limit needs. Defaults to a minute.
    public init(
        _ control: ControlDatabase,
        node: NodeDescription = NodeDescription(),
        maximumChanges: Int = 16,
        maximumStops: Int = 8,
        times: FenceTimes = .standard,
        statementDeadline: Duration = .seconds(10),
        leastTime: Duration = .seconds(1),
        limitDeadline: Duration = .milliseconds(500),
        limitCleaning: Duration = .seconds(60)
    ) {
        self.control = control
        self.node = node
        self.maximumChanges = max(1, maximumChanges)
        self.maximumStops = max(1, maximumStops)
        self.times = times
        self.statementDeadline = max(statementDeadline, leastTime)
        self.leastTime = leastTime
        self.limitDeadline = limitDeadline
        self.limitCleaning = limitCleaning
    }

    /// The connections for stops to each cluster that no change of keys gets.
    package static let workspaceStops = 2

    /// Leaves all clusters, so that no change waits for this node, lifts the fences of refused changes, and closes the connections.
    public func shutdown() async {
        let (keepers, gates, limits) = state.withLock { state in
            state.isShutDown = true
            defer { (state.keepers, state.gates, state.limits) = ([:], [:], [:]) }
            return (state.keepers.values, state.gates.values, state.limits.values)
        }
        for exchange in limits { await exchange.shutdown() }
        for keeper in keepers { await keeper.shutdown() }
        for gate in gates { await gate.shutdown() }
    }

    /// The ids of the clusters that this node has used and not left.
    var clusterIDs: Set<UUID> {
        state.withLock { Set($0.keepers.keys).union($0.limits.keys).union($0.gates.keys.map(\.cluster)) }
    }

    /// Leaves a cluster that was removed from the installation, and closes its connections.
    ///
    /// Its lease ends first, so that nothing there is answered from memory from the beginning of this call on. A later use of the cluster
    /// begins anew.
    func leave(_ clusterID: UUID) async {
        let (keeper, exchange, gates) = state.withLock { state in
            let gates = state.gates.filter { $0.key.cluster == clusterID }
            for id in gates.keys { state.gates[id] = nil }
            let exchange = state.limits.removeValue(forKey: clusterID)
            return (state.keepers.removeValue(forKey: clusterID), exchange, Array(gates.values))
        }
        await keeper?.shutdown()
        await exchange?.shutdown()
        for gate in gates { await gate.shutdown() }
    }

    /// Returns the keeper of this node's lease on a cluster.
    ///
    /// The first call for a cluster starts it.
    ///
    /// - Throws: `closed` after the shutdown, or if the system provides no descriptors; `invalidConfiguration`.
    public func keeper(of cluster: Cluster) throws(PostgresError) -> LeaseKeeper {
        try state.withLock { state throws(PostgresError) in try keeper(of: cluster, &state) }
    }

    private func keeper(of cluster: Cluster, _ state: inout State) throws(PostgresError) -> LeaseKeeper {
        if let keeper = state.keepers[cluster.id] { return keeper }
        guard !state.isShutDown else { throw Self.shutDown }
        // The first request for a cluster starts its keeper, which goes on until this node leaves the cluster.
        let keeper = try PostgresDeadline.without { () throws(PostgresError) in
            try LeaseKeeper(try configuration(cluster), description: node, times: times, logger: control.logger)
        }
        state.keepers[cluster.id] = keeper
        return keeper
    }

    /// Returns the exchange of rate limits with the other nodes of a cluster.
    ///
    /// - Throws: The errors of ``keeper(of:)``.
    public func limits(of cluster: Cluster) throws(PostgresError) -> LimitExchange {
        try state.withLock { state throws(PostgresError) in
            if let exchange = state.limits[cluster.id] { return exchange }
            let keeper = try keeper(of: cluster, &state)
            let exchange = LimitExchange(
                try configuration(cluster),
                deadline: limitDeadline,
                cleaningInterval: limitCleaning,
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

    /// Returns true if this node's lease on a cluster is over and could not be renewed for a time.
    func isCutOff(from clusterID: UUID, for time: Duration) -> Bool {
        state.withLock { $0.keepers[clusterID] }?.isCutOff(for: time) ?? false
    }

    /// The peppers of this node that all nodes know, in this node's order; `nil` before the first answer of the primary cluster.
    public var sharedPeppers: [String]? { state.withLock { $0.keepers[control.primary.id]?.sharedPeppers } }

    /// The ids of this node's leases: one for each cluster that the node has used.
    public var leaseIDs: Set<UUID> { Set(state.withLock { $0.keepers.values.map(\.node) }) }

    /// The time for which a lease is good after its renewal.
    public var leaseLife: Duration { times.trust }

    /// The numbers of this node's leases that are good and that are not, of the fences that it has raised and not lifted, and the time since it
    /// raised the oldest of them.
    public var figures: (good: Int, lost: Int, fences: Int, oldestFence: Duration) {
        let now = Moment.now
        return state.withLock { $0.keepers.values.map(\.view) }
            .reduce(into: (0, 0, 0, Duration.zero)) { sum, view in
                if view.lease(at: now) == nil { sum.1 += 1 } else { sum.0 += 1 }
                sum.2 += view.raisedCount
                if let moment = view.oldestRaise { sum.3 = max(sum.3, now - moment) }
            }
    }

    /// Makes a change under fences, and returns when no verification that starts from now on sees an older state.
    ///
    /// A change of keys should hold no connection until `change` runs: the wait for a silent node takes 2.4 s. Organizations share the
    /// places of such changes fairly, because nothing else limits their number. A change waits for its place as long as for a statement.
    ///
    /// - Parameters:
    ///   - keys: The keys that the change is about.
    ///   - cluster: The cluster of the keys.
    ///   - lane: `stops` for a change that stops keys.
    ///   - organization: The organization of the keys. `nil` for keys of operators.
    ///   - change: Commits the change. It runs at most once.
    /// - Returns: The value of the change.
    /// - Throws: `capacityExceeded` if no place became free in time, the error of the change, or ``FenceError``.
    public func perform<Value>(
        _ keys: FencedKeys,
        on cluster: Cluster,
        _ lane: Lane,
        of organization: UUID?,
        _ change: () async throws -> Value
    ) async throws -> Value {
        let gate = try gate(to: cluster, lane)
        return try await gate.places.withPlace(of: organization) { try await gate.fences.perform(keys, change) }
    }

    /// Makes a change under fences without a place, for changes whose number is limited otherwise.
    ///
    /// - Parameters:
    ///   - keys: The keys that the change is about.
    ///   - cluster: The cluster of the keys.
    ///   - lane: `stops` for a change that stops keys.
    ///   - change: Commits the change. It runs at most once.
    /// - Returns: The value of the change.
    /// - Throws: The error of the change, or ``FenceError``.
    func perform<Value>(
        _ keys: FencedKeys,
        on cluster: Cluster,
        _ lane: Lane,
        _ change: () async throws -> Value
    ) async throws -> Value {
        try await gate(to: cluster, lane).fences.perform(keys, change)
    }

    /// Returns true if no lease of an earlier timeline of a cluster's server can be good, as far as this node knows (rule 32).
    func hasRecorded(_ timeline: ServerTimeline, of cluster: Cluster) -> Bool {
        state.withLock { state in state.gates.filter { $0.key.cluster == cluster.id }.map(\.value.fences) }
            .contains { $0.hasRecorded(timeline) }
    }

    private func gate(to cluster: Cluster, _ lane: Lane) throws(PostgresError) -> Gate {
        try state.withLock { state throws(PostgresError) in
            let id = GateID(cluster: cluster.id, lane: lane)
            if let gate = state.gates[id] { return gate }
            guard !state.isShutDown else { throw Self.shutDown }
            var configuration = try configuration(cluster)
                .setting("default_transaction_isolation", "read committed")
                .setting("statement_timeout", "\(statementDeadline.timeoutMilliseconds)ms")
            configuration.connectDeadline = min(configuration.connectDeadline, statementDeadline)
            configuration.queryDeadline = statementDeadline
            configuration.cancellationPatience = statementDeadline / 2
            let places = lane == .stops ? maximumStops : maximumChanges
            let pool = PostgresPool(
                configuration,
                options: PostgresPoolOptions(
                    maximumConnections: lane == .stops ? places + Self.workspaceStops : places,
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
            let gate = Gate(
                pool: pool,
                fences: fences,
                places: FairPlaces(places, share: .allButAQuarter, patience: statementDeadline)
            )
            state.gates[id] = gate
            return gate
        }
    }

    private func configuration(_ cluster: Cluster) throws(PostgresError) -> PostgresConfiguration {
        try control.runtimeConfiguration(cluster, database: control.installation.clusterDatabase)
    }

    private static let shutDown = PostgresError(.closed, "this node is shutting down")
}
