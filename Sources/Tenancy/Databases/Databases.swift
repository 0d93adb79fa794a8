public import FoundationEssentials
public import Keys
import Logging
public import Postgres
import Synchronization

/// Hands out connections to the control database and to workspaces' databases, as the runtime role: the only way to get one.
///
/// Connections are opened when they are first used and bounded on each cluster, whatever the number of workspaces. Each
/// workspace has its own, with their own waiting lines and back-off, so one whose database is down keeps nobody else waiting.
public final class Databases: Sendable {
    /// The control database, which is the root tenant.
    public let control: ControlConnections

    private struct ClusterCaches: Sendable {
        let cluster: Cluster
        let lookups: LeasedCache<UUID, PostgresPipeline>
        let pools: LeasedCache<UUID, PostgresPool>
        let usage: LeasedCache<UUID, PostgresPool>

        var all: [LeasedCache<UUID, PostgresPool>] { [pools, usage] }
    }

    private let database: ControlDatabase
    private let options: DatabasesOptions
    private let reactors: [Reactor]
    private let directory: WorkspaceDirectory
    private let caches = Mutex((byCluster: [UUID: ClusterCaches](), isShutDown: false))
    private let reports = Mutex(ReportLimit())

    /// Prepares to connect; nothing is opened yet.
    ///
    /// - Throws: `invalidConfiguration`.
    ///
    /// - Parameters:
    ///   - database: the control database.
    ///   - reactors: the threads that connections live on; by default the control database's own.
    ///   - options: the bounds.
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
            logger: database.logger
        )
        control = ControlConnections(
            pool: PostgresPool(
                Self.management(configuration, options),
                options: PostgresPoolOptions(
                    maximumConnections: options.controlConnections,
                    leaseDeadline: options.leaseDeadline
                ),
                reactor: database.reactor,
                logger: database.logger
            ),
            lookups: lookups
        )
        directory = WorkspaceDirectory(lookups)
    }

    /// Closes every connection and refuses new ones.
    public func shutdown() async {
        let caches = self.caches.withLock { caches in
            caches.isShutDown = true
            return Array(caches.byCluster.values)
        }
        for cache in caches {
            await cache.lookups.shutdown()
            for pools in cache.all { await pools.shutdown() }
        }
        await control.lookups.shutdown()
        await control.pool.shutdown()
    }

    // MARK: A workspace's database

    /// Lends the connection on which a workspace's keys are looked up.
    ///
    /// Many may use it at once.
    ///
    /// - Throws: `unknownWorkspace` when the database is gone, `capacityExceeded`, `PostgresError`, and what `body` throws.
    public func withLookups<T>(
        _ workspace: WorkspaceFacts,
        _ body: (PostgresPipeline) async throws -> T
    ) async throws -> T {
        try await forgettingTheDropped(workspace) {
            let caches = try await self.caches(of: workspace.clusterID)
            return try await caches.lookups.withValue(
                workspace.workspaceID,
                make: {
                    // Inside, because a password is derived for it: this runs for every verification, and that once.
                    let configuration = try database.runtimeConfiguration(
                        caches.cluster,
                        database: workspace.database
                    )
                    return PostgresPipeline(
                        Self.lookups(configuration, options),
                        reactors: reactors,
                        logger: database.logger
                    )
                },
                body
            )
        }
    }

    /// Lends the pool on which a workspace's keys are managed.
    ///
    /// Many may use it at once.
    ///
    /// - Throws: `unknownWorkspace` when the database is gone, `capacityExceeded`, `PostgresError`, and what `body` throws.
    public func withPool<T>(_ workspace: WorkspaceFacts, _ body: (PostgresPool) async throws -> T) async throws -> T {
        try await withPool(workspace, options.connectionsPerManagedDatabase, from: { $0.pools }, body)
    }

    /// Lends the connection over which a workspace's counts are written.
    ///
    /// - Throws: what `withPool` throws.
    public func withUsagePool<T>(
        _ workspace: WorkspaceFacts,
        _ body: (PostgresPool) async throws -> T
    ) async throws -> T {
        try await withPool(workspace, 1, from: { $0.usage }, body)
    }

    private func withPool<T>(
        _ workspace: WorkspaceFacts,
        _ connections: Int,
        from cache: (ClusterCaches) -> LeasedCache<UUID, PostgresPool>,
        _ body: (PostgresPool) async throws -> T
    ) async throws -> T {
        try await forgettingTheDropped(workspace) {
            let caches = try await self.caches(of: workspace.clusterID)
            return try await cache(caches)
                .withValue(
                    workspace.workspaceID,
                    make: {
                        let configuration = try database.runtimeConfiguration(
                            caches.cluster,
                            database: workspace.database
                        )
                        return PostgresPool(
                            Self.management(configuration, options),
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

    /// Forgets a workspace that was removed and closes its connections.
    public func forget(_ workspaceID: UUID) async {
        directory.forget(workspaceID)
        for cache in caches.withLock({ Array($0.byCluster.values) }) {
            await cache.lookups.remove(workspaceID)
            for pools in cache.all { await pools.remove(workspaceID) }
        }
    }

    private func forgettingTheDropped<T>(_ workspace: WorkspaceFacts, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError where error.sqlState == .undefinedDatabase {
            await forget(workspace.workspaceID)
            throw TenancyError.unknownWorkspace
        }
    }

    /// Says in the log why a workspace's database was of no use, every ten seconds at most.
    public func report(_ error: any Error, of workspace: WorkspaceFacts) {
        let now = ContinuousClock.now
        guard let unsaid = reports.withLock({ $0.admit(workspace.workspaceID, at: now) }) else { return }
        let isOutdated = (error as? PostgresError)?.isOfOutdatedSchema ?? false
        database.logger.warning(
            isOutdated
                ? "a workspace's database is older than this release: run `mortise migrate --workspaces`"
                : "a workspace's database cannot be reached",
            metadata: [
                "database": "\(workspace.database)", "error": "\(error)",
                "left_out_before": .stringConvertible(unsaid),
            ]
        )
    }

    /// Spreads pools over the threads.
    private func reactor(for workspaceID: UUID) -> Reactor {
        reactors[Int(UInt(bitPattern: workspaceID.hashValue) % UInt(reactors.count))]
    }

    private func caches(of cluster: UUID) async throws -> ClusterCaches {
        if let caches = self.caches.withLock({ $0.byCluster[cluster] }) { return caches }
        let made = ClusterCaches(
            cluster: try await directory.cluster(cluster),
            lookups: cache(options.maximumLookupDatabases) { await $0.shutdown() },
            pools: cache(options.maximumManagedDatabases) { await $0.shutdown() },
            usage: cache(options.maximumUsageDatabases) { await $0.shutdown() }
        )
        return try self.caches.withLock { caches throws(TenancyError) in
            guard !caches.isShutDown else { throw TenancyError(.capacityExceeded, "this node is shutting down") }
            if let first = caches.byCluster[cluster] { return first }
            caches.byCluster[cluster] = made
            return made
        }
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
        return configuration
    }

    private static func management(
        _ configuration: PostgresConfiguration,
        _ options: DatabasesOptions
    ) -> PostgresConfiguration {
        var limited = ControlDatabase.limited(configuration, statements: options.managementDeadline)
        limited.queryDeadline = options.managementDeadline
        return limited
    }

    // MARK: Who is who

    /// Finds an organization's workspace by its ref.
    ///
    /// Another's, and one that was never given out, cost and answer the same.
    public func facts(ref: WorkspaceRef, organization: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        try await directory.facts(ref: ref, organization: organization)
    }

    /// Finds a workspace by its ref, whosever it is.
    ///
    /// For a token that nobody vouches for, and that says itself whose it is.
    public func facts(ref: WorkspaceRef) async throws(PostgresError) -> WorkspaceFacts? {
        try await directory.facts(ref: ref)
    }

    /// Finds a workspace by its id.
    public func facts(id: UUID) async throws(PostgresError) -> WorkspaceFacts? {
        try await directory.facts(id: id)
    }
}
