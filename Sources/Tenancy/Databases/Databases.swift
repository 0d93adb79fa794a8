import Fence
public import FoundationEssentials
public import Keys
import Locks
import Logging
public import Postgres
import Synchronization

/// Lends connections to the control database and to workspaces' databases, as the runtime role: the only way to get
/// one.
///
/// Connections are opened when they are first used, and closed when they are not used for a while. Their number on each
/// cluster is bounded, whatever the number of workspaces, and organizations share it fairly. An organization opens a few look-up
/// connections at once, because opening them occupies the processors that all share. Each workspace has its own
/// connections, queues and back-off, so a workspace whose database is down keeps no other waiting.
///
/// A workspace has one connection for look-ups, on the reactor that its id decides. When a PostgreSQL server has no connection
/// left, the look-up connection that was unused for longest is closed for the one that is needed.
public final class Databases: Sendable {
    /// The control database, which is the root tenant.
    public let control: ControlConnections
    /// The leases of this node and the fences around its changes.
    public let fencing: ClusterFencing

    struct ClusterCaches: Sendable {
        let cluster: Cluster
        /// The runtime role's configuration, with any database of the cluster.
        let configuration: PostgresConfiguration
        let lookups: LeasedCache<UUID, PostgresPipeline>
        let pools: LeasedCache<UUID, PostgresPool>
        let stops: LeasedCache<UUID, PostgresPool>
        let overviews: LeasedCache<UUID, PostgresPool>
        let lookupLimit: LookupLimit
        /// The limits of commits that wait for a standby, over all workspaces.
        ///
        /// The limit of a single pool ends when the pool is closed to make room for another one.
        let waitingCommits: (changes: CommitGate, stops: CommitGate)

        var all: [LeasedCache<UUID, PostgresPool>] { [pools, stops, overviews] }

        /// Closes a connection that nobody uses, of a look-up if there is one.
        ///
        /// - Returns: False if all connections are in use.
        @discardableResult
        func makeRoom() async -> Bool {
            if await lookups.makeRoom() { return true }
            if await overviews.makeRoom() { return true }
            if await pools.makeRoom() { return true }
            return await stops.makeRoom()
        }
    }

    let database: ControlDatabase
    let options: DatabasesOptions
    private let reactors: [Reactor]
    let directory: WorkspaceDirectory
    let caches = ReadMostlyMap<UUID, ClusterCaches>()
    let stopped = StoppedWorkspaces()
    private let isShutDown = Atomic<Bool>(false)
    let faults: FaultLog
    private let blockers = BlockingSessions()

    /// Creates the databases' connections, without opening one.
    ///
    /// - Parameters:
    ///   - database: The control database.
    ///   - peppers: The ids of the peppers that this node knows, which it announces to the others. Defaults to none.
    ///   - reactors: The threads of the connections; by default the control database's own.
    ///   - options: The limits.
    /// - Throws: `invalidConfiguration`.
    public init(
        _ database: ControlDatabase,
        peppers: [String] = [],
        reactors: [Reactor] = [],
        options: DatabasesOptions = DatabasesOptions()
    ) throws(PostgresError) {
        self.database = database
        self.reactors = reactors.isEmpty ? [database.reactor] : reactors
        self.options = options
        faults = FaultLog(logger: database.logger)
        let configuration = try database.runtimeConfiguration(database.primary, database: nil)
        let lookups = PostgresPipeline(
            Self.lookups(configuration, options),
            reactors: self.reactors,
            silence: options.lookupSilence,
            question: ServerTimeline.question,
            logger: database.logger
        )
        fencing = ClusterFencing(
            database,
            node: NodeDescription(version: database.version, peppers: peppers),
            maximumChanges: options.maximumFencedChanges,
            maximumStops: options.maximumFencedStops,
            times: options.fenceTimes,
            statementDeadline: max(options.managementDeadline, options.stopDeadline),
            leastTime: options.fenceDeadline,
            limitDeadline: options.limitDeadline
        )
        func pool(_ configuration: PostgresConfiguration, _ connections: Int) -> PostgresPool {
            PostgresPool(
                configuration,
                options: PostgresPoolOptions(maximumConnections: connections, leaseDeadline: options.leaseDeadline),
                reactor: database.reactor,
                logger: database.logger
            )
        }
        control = ControlConnections(
            pool: pool(Self.management(configuration, options), options.controlConnections),
            readers: pool(Self.management(configuration, options), options.controlReaders),
            usage: pool(Self.counting(configuration, options), 1),
            stops: pool(Self.stops(configuration, options), options.maximumStoppedDatabases),
            lookups: lookups
        )
        directory = WorkspaceDirectory(lookups)
    }

    /// Closes every connection and refuses new ones.
    public func shutdown() async {
        isShutDown.store(true, ordering: .sequentiallyConsistent)
        await fencing.shutdown()
        for cache in caches.values {
            await cache.lookups.shutdown()
            for pools in cache.all { await pools.shutdown() }
        }
        await control.lookups.shutdown()
        for pool in [control.pool, control.readers, control.usage, control.stops] { await pool.shutdown() }
    }

    // MARK: A workspace's connections

    /// Lends the pipeline for look-ups in a workspace's database, to any number of callers at once.
    ///
    /// `body` is called again if the server had no connection left and another look-up connection was closed for this one.
    ///
    /// - Throws: `unknownWorkspace` if the database does not exist, `capacityExceeded`, `PostgresError`, and what
    ///   `body` throws.
    public func withLookups<T>(
        _ workspace: WorkspaceFacts,
        _ body: (PostgresPipeline) async throws -> T
    ) async throws -> T {
        try await removingDropped(workspace) {
            let caches = try await self.caches(of: workspace.clusterID)
            return try await caches.lookups.withValue(
                workspace.workspaceID,
                of: workspace.organizationID,
                make: {
                    PostgresPipeline(
                        Self.lookups(caches.configuration.database(workspace.database), options),
                        reactors: [reactor(for: workspace.workspaceID)],
                        silence: options.lookupSilence,
                        question: ServerTimeline.question,
                        logger: database.logger
                    )
                },
                { pipeline in
                    let result = try await body(pipeline)
                    if caches.lookupLimit.isUnknown, let allowed = await caches.lookupLimit.learn(over: pipeline) {
                        await caches.lookups.setCapacity(options.lookupConnections(allowed: allowed))
                    }
                    return result
                }
            )
        }
    }

    /// Returns true if a workspace has no look-up connection, and another one would be closed to open it.
    public func wouldReplaceLookups(_ workspace: WorkspaceFacts) -> Bool {
        caches[workspace.clusterID]?.lookups.wouldReplace(workspace.workspaceID) ?? false
    }

    /// Returns true if this node has lost its lease on the cluster of a workspace for so long that look-ups there are not attempted.
    ///
    /// Whatever can wait waits then, too: each attempt would use up its deadline.
    ///
    /// - Parameter workspace: The workspace. `nil` is the control database.
    /// - Returns: False with a good lease, and while the node may get one soon.
    public func isCutOff(from workspace: WorkspaceFacts?) -> Bool {
        fencing.isCutOff(from: clusterID(of: workspace), for: Self.leasePatience)
    }

    /// The time without a lease after which nothing is attempted any more that can wait.
    ///
    /// A server that is back grants a lease within the pause between two attempts.
    package static let leasePatience = Duration.seconds(1)

    /// Closes the look-up connections that nobody has used since the last call.
    public func closeUnusedLookups() async {
        for caches in caches.values { await caches.lookups.closeUnused() }
    }

    /// Returns the maximum number of look-up connections to a cluster at this moment, or `nil` before its first use.
    package func lookupLimit(of clusterID: UUID) -> Int? { caches[clusterID]?.lookups.limit }

    /// The number of look-up connections to workspaces, and of callers that wait for one.
    public var lookupConnections: (open: Int, waiting: Int) {
        caches.values.reduce((0, 0)) { ($0.0 + $1.lookups.count, $0.1 + $1.lookups.waitingCount) }
    }

    /// The number of a cluster's managed workspaces that background work may use at once.
    ///
    /// It is half of them, so that people's requests find the others.
    package var backgroundShare: Int { max(1, options.maximumManagedDatabases / 2) }

    /// Lends the pool for changes and lists in a workspace's database, to any number of callers at once.
    ///
    /// - Throws: `unknownWorkspace` if the database does not exist, `capacityExceeded`, `PostgresError`, and what
    ///   `body` throws.
    public func withPool<T>(_ workspace: WorkspaceFacts, _ body: (PostgresPool) async throws -> T) async throws -> T {
        try await withPool(
            workspace,
            options.connectionsPerManagedDatabase,
            from: { ($0.pools, $0.waitingCommits.changes) },
            { Self.management($0, options) },
            body
        )
    }

    /// Lends a connection for changes and lists in a workspace's database.
    ///
    /// If the server has no connection left, a look-up connection is closed for this one.
    ///
    /// - Throws: `blocked` if a session of somebody else blocks the change, and the errors of ``withPool(_:_:)``.
    public func withConnection<T>(
        _ workspace: WorkspaceFacts,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await blockers.explaining(workspace.workspaceID, for: .other) {
            try await makingRoom(on: workspace.clusterID) { begin in
                try await withPool(workspace) { pool in
                    try await pool.withConnection {
                        begin()
                        return try await unblocking($0, for: .other, over: workspace, body)
                    }
                }
            }
        }
    }

    /// Lends a connection for changes in the control database.
    ///
    /// - Throws: `blocked` if a session of somebody else blocks the change, the errors of `PostgresPool.withConnection`, and what `body`
    ///   throws.
    public func withControl<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await blockers.explaining(Workspace.rootID, for: .other) {
            try await control.pool.withConnection { try await unblocking($0, for: .other, over: nil, body) }
        }
    }

    /// Lends a connection for the overview of a workspace, which a page shows beside those of other workspaces.
    ///
    /// A page needs a connection to each of them at once. They have connections of their own, so that such a page neither closes the
    /// connections of changes nor opens its own again each time.
    ///
    /// - Throws: The errors of ``withPool(_:_:)``.
    public func withOverview<T>(
        _ workspace: WorkspaceFacts,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await makingRoom(on: workspace.clusterID) { begin in
            try await withPool(workspace, 1, from: { ($0.overviews, nil) }, { Self.management($0, options) }) { pool in
                try await pool.withConnection {
                    begin()
                    return try await body($0)
                }
            }
        }
    }

    /// Closes a connection that nobody uses on the primary cluster, and one on the cluster of a workspace, so that a server without a free
    /// one accepts another.
    public func makeRoom(for workspaceID: UUID) async {
        for cluster in Set([database.primary.id, directory.known(workspaceID)?.clusterID].compactMap(\.self)) {
            await caches[cluster]?.makeRoom()
        }
    }

    /// Connects again, after a look-up connection was closed, as long as the server refuses connections and there is time.
    ///
    /// - Parameters:
    ///   - clusterID: The cluster.
    ///   - connect: Connects, and calls the closure that it gets before it uses the connection.
    /// - Returns: The value that `connect` returned.
    /// - Throws: The error of `connect`.
    func makingRoom<T>(
        on clusterID: UUID,
        _ connect: (_ begin: () -> Void) async throws -> T
    ) async throws -> T {
        let end = ContinuousClock.now + PostgresDeadline.limit(options.placePatience)
        var hasRoom = false
        while true {
            var hasBegun = false
            do {
                return try await connect { hasBegun = true }
            } catch let error as PostgresError where error.isRefusedConnection && !hasBegun {
                guard ContinuousClock.now < end, let caches = caches[clusterID] else { throw error }
                // During a pause nothing was attempted, so the room that was made may still be there.
                if !error.isOfPause || !hasRoom { hasRoom = await caches.makeRoom() }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Lends a connection for a change that stops keys: a revocation, a disabling or a deletion.
    ///
    /// Such a change waits for nobody for long. It has connections of its own, one deadline for all of its waits
    /// (``withStopDeadline(_:)``), and it ends sessions of this installation that block it, such as one of a node that
    /// was paused in the middle of a change.
    ///
    /// - Parameters:
    ///   - workspace: The workspace; `nil` is the control database.
    ///   - body: The change.
    /// - Returns: The value that `body` returned.
    /// - Throws: `blocked` if a session of somebody else blocks the change, and the errors of ``withPool(_:_:)``.
    public func withStop<T>(
        _ workspace: WorkspaceFacts?,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await withStopDeadline {
            try await blockers.explaining(workspace?.workspaceID ?? Workspace.rootID, for: .stop) {
                guard let workspace else {
                    return try await makingRoom(on: database.primary.id) { begin in
                        try await control.stops.withConnection {
                            begin()
                            return try await unblocking($0, for: .stop, over: nil, body)
                        }
                    }
                }
                return try await makingRoom(on: workspace.clusterID) { begin in
                    try await withPool(
                        workspace,
                        1,
                        from: { ($0.stops, $0.waitingCommits.stops) },
                        { Self.stops($0, options) }
                    ) { pool in
                        try await pool.withConnection {
                            begin()
                            return try await unblocking($0, for: .stop, over: workspace, body)
                        }
                    }
                }
            }
        }
    }

    /// Runs a change that stops keys with one deadline for all that it waits for: its fences, its connection, locks and COMMIT.
    public func withStopDeadline<T>(_ change: () async throws -> T) async throws -> T {
        try await PostgresDeadline.with(options.stopDeadline, change)
    }

    /// Runs `body`, and meanwhile looks at the sessions that block the connection.
    ///
    /// For a stop, it ends those of the runtime role.
    private func unblocking<T>(
        _ connection: PostgresConnection,
        for work: Unblocker.Work,
        over workspace: WorkspaceFacts?,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let unblocker = Unblocker(
            process: connection.backendProcessID,
            work: work,
            role: database.installation.runtimeRole,
            owner: database.owner.user ?? "",
            patience: work == .stop ? options.blockerPatience : options.blockerPatience * 5,
            place: workspace?.workspaceID ?? Workspace.rootID,
            blockers: blockers,
            logger: database.logger
        )
        return try await unblocker.run {
            try await body(connection)
        } asking: { [self] statement, parameters in
            // The sessions of all databases of a server can be seen from each. Look-ups in the workspace can wait for the same lock.
            guard let workspace, workspace.clusterID != database.primary.id else {
                return try await control.lookups.query(statement, parameters)
            }
            return try await withLookups(workspace) { try await $0.query(statement, parameters) }
        }
    }

    private func withPool<T>(
        _ workspace: WorkspaceFacts,
        _ connections: Int,
        from cache: (ClusterCaches) -> (pools: LeasedCache<UUID, PostgresPool>, waitingCommits: CommitGate?),
        _ limited: (PostgresConfiguration) -> PostgresConfiguration,
        _ body: (PostgresPool) async throws -> T
    ) async throws -> T {
        try await removingDropped(workspace) {
            let caches = try await self.caches(of: workspace.clusterID)
            let (pools, waitingCommits) = cache(caches)
            return
                try await pools.withValue(
                    workspace.workspaceID,
                    of: workspace.organizationID,
                    make: {
                        PostgresPool(
                            limited(caches.configuration.database(workspace.database)),
                            options: PostgresPoolOptions(
                                maximumConnections: connections,
                                leaseDeadline: options.leaseDeadline
                            ),
                            waitingCommits: waitingCommits,
                            reactor: reactor(for: workspace.workspaceID),
                            logger: database.logger
                        )
                    },
                    body
                )
        }
    }

    /// Removes a workspace that was deleted from the caches, and closes its connections.
    public func forget(_ workspaceID: UUID) async {
        directory.remove(workspaceID)
        for cache in caches.values {
            await cache.lookups.remove(workspaceID)
            for pools in cache.all { await pools.remove(workspaceID) }
        }
    }

    private func removingDropped<T>(_ workspace: WorkspaceFacts, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError where error.canBeDeletion {
            // Only the control database tells a workspace that was deleted from one whose database is missing, for example because a
            // backup was restored in part. The latter keeps its connections, which pause between two attempts.
            guard (try? await directory.isGone(workspace.workspaceID)) == true else { throw error }
            await forget(workspace.workspaceID)
            throw TenancyError.unknownWorkspace
        } catch let error as TenancyError where error.code == .unknownCluster {
            // A cluster with workspaces cannot be removed, so the workspace was deleted before.
            guard (try? await directory.isGone(workspace.workspaceID)) == true else { throw error }
            await forget(workspace.workspaceID)
            throw TenancyError.unknownWorkspace
        }
    }

    /// Returns the thread for a workspace's connections.
    private func reactor(for workspaceID: UUID) -> Reactor {
        reactors[Int(UInt(bitPattern: workspaceID.hashValue) % UInt(reactors.count))]
    }

    func caches(of cluster: UUID) async throws -> ClusterCaches {
        if let known = caches[cluster] { return known }
        let pools = self.pools(options.maximumManagedDatabases, sharing: true)
        let stops = self.pools(options.maximumStoppedDatabases, sharing: true)
        let overviews = self.pools(options.maximumOverviewDatabases, sharing: false)
        let record = try await directory.cluster(cluster)
        let created = ClusterCaches(
            cluster: record,
            configuration: try database.runtimeConfiguration(record, database: nil),
            lookups: LeasedCache(
                capacity: options.maximumLookupConnections ?? LookupLimit.first,
                maximumOpenings: options.maximumLookupOpenings,
                replacementPause: options.lookupReplacementPause,
                replacementBurst: options.lookupReplacementBurst,
                patience: options.placePatience,
                isRefusal: { ($0 as? PostgresError)?.isRefusedConnection ?? false },
                makeRoomElsewhere: {
                    if await overviews.makeRoom() { return }
                    if await !pools.makeRoom() { await stops.makeRoom() }
                },
                close: { await $0.shutdown() }
            ),
            pools: pools,
            stops: stops,
            overviews: overviews,
            lookupLimit: LookupLimit(isKnown: options.maximumLookupConnections != nil),
            waitingCommits: (
                changes: CommitGate(limit: options.maximumManagedDatabases * options.connectionsPerManagedDatabase),
                stops: CommitGate(limit: options.maximumStoppedDatabases)
            )
        )
        let caches = self.caches.insert(created, for: cluster)
        // After the insertion: either `shutdown` sees these caches, or this call sees the shutdown.
        guard !isShutDown.load(ordering: .sequentiallyConsistent) else {
            throw TenancyError(.capacityExceeded, "this node is shutting down")
        }
        return caches
    }

    /// Creates the pools of a cluster's workspaces.
    ///
    /// - Parameters:
    ///   - capacity: The maximum number of pools.
    ///   - isShared: True to keep a quarter of them, and one at least, from the organization that has most. Its workspaces can be in use
    ///     without a pause, so they would leave no slot to others.
    /// - Returns: The pools.
    private func pools(_ capacity: Int, sharing isShared: Bool) -> LeasedCache<UUID, PostgresPool> {
        LeasedCache(
            capacity: capacity,
            maximumShare: isShared && capacity > 2 ? capacity - max(1, capacity / 4) : nil,
            patience: options.placePatience,
            close: { await $0.shutdown() }
        )
    }

    /// Returns the id of the cluster that has a workspace's database; `nil` is the control database.
    func clusterID(of workspace: WorkspaceFacts?) -> UUID { workspace?.clusterID ?? database.primary.id }

    /// Returns the name of a workspace's database; `nil` is the control database.
    func name(of workspace: WorkspaceFacts?) -> String { workspace?.database ?? database.owner.database ?? "" }

    // MARK: Facts

    /// Returns the facts of an organization's workspace by its reference.
    ///
    /// The reference of another organization's workspace costs and answers the same as one that was never assigned.
    public func facts(ref: WorkspaceRef, organization: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        try await reporting { () async throws(PostgresError) in
            try await directory.facts(ref: ref, organization: organization)
        }
    }

    /// Returns the facts of a workspace of any organization by its reference, for a token that no other credential
    /// vouches for.
    public func facts(ref: WorkspaceRef) async throws(PostgresError) -> WorkspaceFacts? {
        try await reporting { () async throws(PostgresError) in try await directory.facts(ref: ref) }
    }

    /// Returns the facts of a workspace by its id, if this node knows them.
    public func knownFacts(id: UUID) -> WorkspaceFacts? { directory.known(id) }

    /// Returns the facts of a workspace by its id.
    public func facts(id: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        try await reporting { () async throws(PostgresError) in try await directory.facts(id: id) }
    }

    /// Looks up facts in the control database, and logs a failure.
    private func reporting(
        _ lookUp: () async throws(PostgresError) -> WorkspaceFacts?
    ) async throws(PostgresError) -> WorkspaceFacts? {
        do throws(PostgresError) {
            return try await lookUp()
        } catch {
            report(error, of: nil)
            throw error
        }
    }
}

extension PostgresError {
    /// True for the errors of a database that is being deleted: it lets nobody in, ends its sessions, and is gone.
    fileprivate var canBeDeletion: Bool {
        switch sqlState {
        case .undefinedDatabase?, .adminShutdown?: true
        case .insufficientPrivilege?: code == .connectFailed
        default: false
        }
    }
}
