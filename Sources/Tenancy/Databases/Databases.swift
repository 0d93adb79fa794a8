public import FoundationEssentials
public import Keys
import Locks
import Logging
public import Postgres
import Synchronization

/// Lends connections to the control database and to workspaces' databases, as the runtime role: the only way to get
/// one.
///
/// Connections are opened when they are first used. Their number on each cluster is bounded, whatever the number of
/// workspaces. Each workspace has its own connections, queues and back-off, so a workspace whose database is down keeps
/// no other waiting.
public final class Databases: Sendable {
    /// The control database, which is the root tenant.
    public let control: ControlConnections

    private struct ClusterCaches: Sendable {
        /// The runtime role's configuration, with any database of the cluster.
        let configuration: PostgresConfiguration
        let lookups: LeasedCache<UUID, PostgresPipeline>
        let pools: LeasedCache<UUID, PostgresPool>
        let usage: LeasedCache<UUID, PostgresPool>
        let stops: LeasedCache<UUID, PostgresPool>

        var all: [LeasedCache<UUID, PostgresPool>] { [pools, usage, stops] }
    }

    private let database: ControlDatabase
    private let options: DatabasesOptions
    private let reactors: [Reactor]
    private let directory: WorkspaceDirectory
    private let caches = ReadMostlyMap<UUID, ClusterCaches>()
    private let isShutDown = Atomic<Bool>(false)
    private let reports = Locked(ReportLimit())

    /// Creates the databases' connections, without opening one.
    ///
    /// - Parameters:
    ///   - database: The control database.
    ///   - reactors: The threads of the connections; by default the control database's own.
    ///   - options: The limits.
    /// - Throws: `invalidConfiguration`.
    public init(
        _ database: ControlDatabase,
        reactors: [Reactor] = [],
        options: DatabasesOptions = DatabasesOptions()
    ) throws(PostgresError) {
        self.database = database
        self.reactors = reactors.isEmpty ? [database.reactor] : reactors
        self.options = options
        let configuration = try database.runtimeConfiguration(database.primary, database: nil)
        let lookups = PostgresPipeline(
            Self.lookups(configuration, options),
            reactors: self.reactors,
            silence: options.lookupSilence,
            logger: database.logger
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
                make: {
                    PostgresPipeline(
                        Self.lookups(caches.configuration.database(workspace.database), options),
                        reactors: reactors,
                        silence: options.lookupSilence,
                        logger: database.logger
                    )
                },
                body
            )
        }
    }

    /// Lends the pool for changes and lists in a workspace's database, to any number of callers at once.
    ///
    /// - Throws: `unknownWorkspace` if the database does not exist, `capacityExceeded`, `PostgresError`, and what
    ///   `body` throws.
    public func withPool<T>(_ workspace: WorkspaceFacts, _ body: (PostgresPool) async throws -> T) async throws -> T {
        try await withPool(
            workspace,
            options.connectionsPerManagedDatabase,
            from: { $0.pools },
            { Self.management($0, options) },
            body
        )
    }

    /// Lends a connection for a change that stops keys: a revocation, a disabling or a deletion.
    ///
    /// Such a change waits for nobody for long. It has connections of its own, one deadline for all of its waits
    /// (`DatabasesOptions.stopDeadline`), and it ends sessions of this installation that block it, such as one of a node that
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
        try await PostgresDeadline.with(options.stopDeadline) {
            guard let workspace else {
                return try await control.stops.withConnection { try await unblocking($0, over: nil, body) }
            }
            return try await withPool(workspace, 1, from: { $0.stops }, { Self.stops($0, options) }) { pool in
                try await pool.withConnection { try await unblocking($0, over: workspace, body) }
            }
        }
    }

    /// Runs `body`, and meanwhile ends the sessions of the runtime role that block the connection.
    private func unblocking<T>(
        _ connection: PostgresConnection,
        over workspace: WorkspaceFacts?,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let unblocker = Unblocker(
            process: connection.backendProcessID,
            role: database.installation.runtimeRole,
            patience: options.blockerPatience,
            logger: database.logger
        )
        return try await unblocker.run {
            try await body(connection)
        } asking: { [self] statement, process, role in
            guard let workspace else { return try await control.lookups.query(statement, [process, role]) }
            return try await withLookups(workspace) { try await $0.query(statement, [process, role]) }
        }
    }

    /// Lends the pool for the counts of a workspace's verifications.
    ///
    /// - Throws: The errors of ``withPool(_:_:)``.
    public func withUsagePool<T>(
        _ workspace: WorkspaceFacts,
        _ body: (PostgresPool) async throws -> T
    ) async throws -> T {
        try await withPool(workspace, 1, from: { $0.usage }, { Self.counting($0, options) }, body)
    }

    private func withPool<T>(
        _ workspace: WorkspaceFacts,
        _ connections: Int,
        from cache: (ClusterCaches) -> LeasedCache<UUID, PostgresPool>,
        _ limited: (PostgresConfiguration) -> PostgresConfiguration,
        _ body: (PostgresPool) async throws -> T
    ) async throws -> T {
        try await removingDropped(workspace) {
            let caches = try await self.caches(of: workspace.clusterID)
            return try await cache(caches)
                .withValue(
                    workspace.workspaceID,
                    make: {
                        PostgresPool(
                            limited(caches.configuration.database(workspace.database)),
                            options: PostgresPoolOptions(
                                maximumConnections: connections,
                                leaseDeadline: options.leaseDeadline
                            ),
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
        } catch let error as PostgresError where error.sqlState == .undefinedDatabase {
            // Only the control database tells a workspace that was deleted from one whose database is missing, for example because a
            // backup was restored in part. The latter keeps its connections, which pause between two attempts.
            guard try await directory.isGone(workspace.workspaceID) else { throw error }
            await forget(workspace.workspaceID)
            throw TenancyError.unknownWorkspace
        }
    }

    /// Logs the reason for which a workspace's database could not be used, at most every ten seconds.
    public func report(_ error: any Error, of workspace: WorkspaceFacts) {
        let now = ContinuousClock.now
        guard let suppressed = reports.withLock({ $0.admit(workspace.workspaceID, at: now) }) else { return }
        database.logger.warning(
            Self.description(of: error),
            metadata: [
                "database": "\(workspace.database)", "error": "\(error)",
                "left_out_before": .stringConvertible(suppressed),
            ]
        )
    }

    private static func description(of error: any Error) -> Logger.Message {
        guard let error = error as? PostgresError else { return "a workspace's database cannot be reached" }
        if error.isOfOutdatedSchema {
            return "a workspace's database is older than this release: run `mortise migrate --workspaces`"
        }
        if error.sqlState == .undefinedDatabase {
            return "the database of a workspace is missing: restore it, or archive and delete the workspace"
        }
        return "a workspace's database cannot be reached"
    }

    /// Returns the thread for a workspace's pool.
    private func reactor(for workspaceID: UUID) -> Reactor {
        reactors[Int(UInt(bitPattern: workspaceID.hashValue) % UInt(reactors.count))]
    }

    private func caches(of cluster: UUID) async throws -> ClusterCaches {
        if let known = caches[cluster] { return known }
        let created = ClusterCaches(
            configuration: try database.runtimeConfiguration(try await directory.cluster(cluster), database: nil),
            lookups: cache(options.maximumLookupDatabases) { await $0.shutdown() },
            pools: cache(options.maximumManagedDatabases) { await $0.shutdown() },
            usage: cache(options.maximumUsageDatabases) { await $0.shutdown() },
            stops: cache(options.maximumStoppedDatabases) { await $0.shutdown() }
        )
        let caches = self.caches.insert(created, for: cluster)
        // After the insertion: either `shutdown` sees these caches, or this call sees the shutdown.
        guard !isShutDown.load(ordering: .sequentiallyConsistent) else {
            throw TenancyError(.capacityExceeded, "this node is shutting down")
        }
        return caches
    }

    private func cache<Value: Sendable>(
        _ capacity: Int,
        close: @escaping @Sendable (Value) async -> Void
    ) -> LeasedCache<UUID, Value> {
        LeasedCache(capacity: capacity, patience: options.placePatience, close: close)
    }

    private static func lookups(_ configuration: PostgresConfiguration, _ options: DatabasesOptions)
        -> PostgresConfiguration
    {
        var configuration = configuration
        configuration.queryDeadline = options.lookupDeadline
        // A plan that was made while a table was small would scan it after an import of many keys, until the statistics follow. Every
        // look-up has an index, so a scan is never the better plan. Compiling a plan takes longer than a look-up.
        return configuration.setting("enable_seqscan", "off").setting("jit", "off")
    }

    /// A count that a failover loses is worth less than a connection that waits for a standby.
    private static func counting(
        _ configuration: PostgresConfiguration,
        _ options: DatabasesOptions
    ) -> PostgresConfiguration {
        management(configuration, options).setting("synchronous_commit", "local")
    }

    private static func stops(_ configuration: PostgresConfiguration, _ options: DatabasesOptions)
        -> PostgresConfiguration
    {
        var limited = ControlDatabase.limited(configuration, statements: options.stopDeadline)
        limited.connectDeadline = min(limited.connectDeadline, options.stopDeadline)
        limited.queryDeadline = options.stopDeadline
        return limited
    }

    private static func management(
        _ configuration: PostgresConfiguration,
        _ options: DatabasesOptions
    ) -> PostgresConfiguration {
        var limited = ControlDatabase.limited(configuration, statements: options.managementDeadline)
        limited.queryDeadline = options.managementDeadline
        return limited
    }

    // MARK: Facts

    /// Returns the facts of an organization's workspace by its reference.
    ///
    /// The reference of another organization's workspace costs and answers the same as one that was never assigned.
    public func facts(ref: WorkspaceRef, organization: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        try await directory.facts(ref: ref, organization: organization)
    }

    /// Returns the facts of a workspace of any organization by its reference, for a token that no other credential
    /// vouches for.
    public func facts(ref: WorkspaceRef) async throws(PostgresError) -> WorkspaceFacts? {
        try await directory.facts(ref: ref)
    }

    /// Returns the facts of a workspace by its id.
    public func facts(id: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        try await directory.facts(id: id)
    }
}
