import Fence
public import FoundationEssentials
package import KeyStore
import Keys
import Locks
import Logging
import Migrations
package import Postgres

/// Creates, changes and deletes workspaces: their rows and their databases.
///
/// The control database's row says where a workspace is going before anything is done, and each step can be repeated.
/// So ``reconcile(_:)`` finishes whatever a crash leaves. A lock for each workspace, in the control database, keeps two
/// nodes from working on the same workspace.
///
/// A change of state has three parts: the request (control row and event, committed), the workspace's own row with the
/// same event, the control row. The second part takes effect, because every look-up of a key joins that row. A method
/// returns after the third part. Until then the request stands in the control row, where ``repairAll(within:)`` finds it.
public final class Provisioner: Sendable {
    let control: ControlDatabase
    let options: ProvisionerOptions
    let fencing: ClusterFencing
    package let pool: PostgresPool
    /// The connections of suspensions, archivings and the beginnings of deletions.
    let stops: PostgresPool
    let templates: TemplateDatabases
    /// The places at which databases are created and dropped for callers, which organizations share fairly.
    private let places: FairPlaces
    private let blockers = BlockingSessions()
    private let makeRoom: @Sendable (UUID) async -> Void
    /// The workspaces whose last repair failed, as the log says once for each.
    let unrepaired = Locked<Set<UUID>>([])
    /// The names of the clusters that could not be set up at the start.
    let unpreparedClusters = Locked<[String]>([])
    /// The maximum number of these workspaces.
    ///
    /// Beyond it, all are dropped, and the log names them once more.
    static let maximumUnrepaired = 10_000
    /// Called after each step.
    ///
    /// Tests throw here to simulate a crash.
    let onStep: @Sendable (ProvisioningStep) throws -> Void

    /// Creates a provisioner; it connects when it is first used.
    ///
    /// - Parameters:
    ///   - control: The control database.
    ///   - options: The limits.
    ///   - fencing: The fences around changes of state. By default the provisioner has its own.
    ///   - makeRoom: Closes connections that nobody uses, after a server had none left for a suspension, an archiving or a deletion of a
    ///     workspace. Does nothing by default.
    public convenience init(
        _ control: ControlDatabase,
        options: ProvisionerOptions = ProvisionerOptions(),
        fencing: ClusterFencing? = nil,
        makeRoom: @escaping @Sendable (_ workspace: UUID) async -> Void = { _ in }
    ) {
        self.init(control, options: options, fencing: fencing, makeRoom: makeRoom, onStep: { _ in })
    }

    package init(
        _ control: ControlDatabase,
        options: ProvisionerOptions,
        fencing: ClusterFencing? = nil,
        makeRoom: @escaping @Sendable (_ workspace: UUID) async -> Void = { _ in },
        onStep: @escaping @Sendable (ProvisioningStep) throws -> Void
    ) {
        self.control = control
        self.fencing = fencing ?? ClusterFencing(control, leastTime: options.fenceDeadline)
        self.options = options
        self.makeRoom = makeRoom
        self.onStep = onStep
        templates = TemplateDatabases(control, options: options, onStep: onStep)
        func pool(_ connections: Int) -> PostgresPool {
            PostgresPool(
                ControlDatabase.limited(control.owner, statements: options.databaseDeadline),
                options: PostgresPoolOptions(maximumConnections: connections, leaseDeadline: options.leaseDeadline),
                reactor: control.reactor,
                logger: control.logger
            )
        }
        places = FairPlaces(options.maximumConnections, patience: options.databaseDeadline)
        self.pool = pool(options.maximumConnections)
        stops = pool(options.maximumStops)
    }

    /// Closes the connections.
    ///
    /// Work that is under way fails, and the next start finishes it.
    public func shutdown() async {
        await places.shutdown()
        await pool.shutdown()
        await stops.shutdown()
        await fencing.shutdown()
    }

    /// Creates a workspace and its database; for tests, because a use case creates the row in a transaction of its own.
    ///
    /// - Returns: The workspace, active: its database exists and is migrated.
    /// - Throws: The errors of ``ControlWriter/createWorkspace(_:by:)`` and ``reconcile(_:)``. After the former there is
    ///   nothing. After the latter there is a row, which `reconcile` or the next start completes.
    package func create(_ new: NewWorkspace, by attribution: Attribution) async throws -> Workspace {
        try await pool.withConnection { connection in
            let created = try await connection.auditedTransaction { transaction in
                try await control.writer(in: transaction).createWorkspace(new, by: attribution)
            }
            try onStep(.recorded)
            guard let workspace = try await reconcile(created.id, on: connection) else {
                throw TenancyError.unknownWorkspace
            }
            return workspace
        }
    }

    /// Finishes the creation, the deletion or the change of state that a workspace's row requests.
    ///
    /// - Returns: The workspace, or `nil` if there is none.
    /// - Throws: `busy`; `PostgresError` if a server or the database cannot be reached.
    @discardableResult
    public func reconcile(_ id: UUID) async throws -> Workspace? {
        try await pool.withConnection { try await reconcile(id, on: $0) }
    }

    /// Finishes the creation or the deletion of an organization's workspace, and one after the other for an organization.
    ///
    /// PostgreSQL occupies a processor and the disk while it creates or drops a database.
    ///
    /// - Throws: `capacityExceeded` if too many of the organization's requests wait, and the errors of ``reconcile(_:)``.
    @discardableResult
    public func reconcile(_ id: UUID, of organizationID: UUID) async throws -> Workspace? {
        try await places.withPlace(of: organizationID) { try await reconcile(id) }
    }

    func reconcile(_ id: UUID, on connection: PostgresConnection) async throws -> Workspace? {
        try await withLock(id, on: connection) {
            guard let plan = try await ReconciliationPlan.read(id, on: connection) else { return nil }
            return try await perform(plan, on: connection)
        }
    }

    /// Takes the step that the row requests.
    ///
    /// The caller holds the workspace's lock. The fence is raised under it, because the step is known only then: an order that is refused
    /// or superseded would otherwise keep all keys of the workspace out of memory while it waits for the lock.
    func perform(
        _ plan: ReconciliationPlan,
        _ lane: ClusterFencing.Lane = .changes,
        on connection: PostgresConnection
    ) async throws -> Workspace? {
        // A role that can write a row must not choose which database the owner creates, changes or drops.
        guard plan.workspace.database == control.installation.workspaceDatabase(plan.workspace.ref) else {
            throw TenancyError(.incompatible, "the workspace's row names a database that is not its own")
        }
        guard let cluster = try await ControlStore(connection).cluster(plan.workspace.clusterID) else {
            throw TenancyError.unknownCluster
        }
        switch plan.step {
        case .none:
            // Whoever asks again gets an answer only when the change that they see is as safe as a new one.
            return try await fenced(plan.workspace, of: cluster, lane) {
                if plan.workspace.state.isStopped { try await repeatState(plan, cluster: cluster) }
                try await connection.auditedTransaction { _ in }
                return plan.workspace
            }
        case .create: return try await completeCreation(plan, cluster: cluster, on: connection)
        case .change(let state):
            return try await fenced(plan.workspace, of: cluster, lane) {
                try await completeChange(plan, to: state, cluster: cluster, on: connection)
            }
        case .drop:
            try await drop(plan.workspace, cluster: cluster, on: connection)
            // Nodes can have the keys in memory, and know them as good after a restoration that was interrupted. The row stays until no
            // node has them, so a repetition or a repair raises the fence again if it fails.
            try await fenced(plan.workspace, of: cluster, lane) {}
            try await remove(plan.workspace, on: connection)
            return nil
        }
    }

    /// Makes a change of a workspace's state under a fence around all of its keys.
    ///
    /// The fence stands on the server of the workspace's database.
    private func fenced<T>(
        _ workspace: Workspace,
        of cluster: Cluster,
        _ lane: ClusterFencing.Lane,
        _ body: () async throws -> T
    ) async throws -> T {
        var hasBegun = false
        do {
            return try await fencing.perform(FencedKeys(workspace: workspace.id), on: cluster, lane) {
                hasBegun = true
                return try await body()
            }
        } catch {
            guard !hasBegun, let unusable = UnusableDatabase(ofServer: error, of: workspace.facts, isRecorded: true)
            else { throw error }
            throw unusable
        }
    }

    /// Holds a workspace's lock while `body` runs, and ends the session that holds it if that session does nothing.
    ///
    /// The program of such a session is paused or gone. If it wakes up, its other connections are harmless: see
    /// `completeChange`.
    ///
    /// - Throws: `busy` if the holder is at work.
    func withStopLock<T>(_ id: UUID, on connection: PostgresConnection, _ body: () async throws -> T) async throws -> T
    {
        let lock = AdvisoryLock("workspace \(id)")
        let patience = min(options.blockerPatience, options.lockPatience)
        let time = PostgresDeadline.limit(min(options.lockPatience, options.stopDeadline))
        let end = ContinuousClock.now.advanced(by: time - patience)
        while true {
            do {
                try await lock.lock(on: connection, patience: patience)
                break
            } catch is AdvisoryLock.Taken {
                guard ContinuousClock.now < end else { throw Self.busy }
                // A creation is at work over other connections for longer, and has no keys yet that could be stopped.
                guard try await ControlStore(connection).workspace(id)?.state != .creating,
                    try await lock.endIdleHolder(on: connection, after: patience)
                else { continue }
                control.logger.warning(
                    "an idle session that held the lock of a workspace was ended",
                    metadata: ["workspace_id": .string(UUIDv7.text(of: id))]
                )
            }
        }
        return try await withResource(connection, { _ in try await body() }, close: { await lock.unlock(on: $0) })
    }

    private static let busy = TenancyError(.busy, "another change of this workspace is under way")

    /// Runs a change that stops a workspace, with one deadline for all of its waits.
    ///
    /// The change runs again as long as a server has no connection left for a part of it and there is time. Other connections are closed
    /// first. Another program can have them all, so the pauses grow.
    ///
    /// - Throws: The errors of ``changing(over:_:)``.
    func stopping<T>(_ id: UUID, _ change: (PostgresConnection) async throws -> T) async throws -> T {
        try await PostgresDeadline.with(options.stopDeadline) {
            var pause = Duration.milliseconds(20)
            while true {
                do {
                    return try await changing(over: stops, change)
                } catch let error as PostgresError where error.isRefusedConnection {
                    guard let left = PostgresDeadline.remaining, left > pause + .milliseconds(500) else { throw error }
                    await makeRoom(id)
                    try await Task.sleep(for: pause)
                    pause = min(pause * 2, .milliseconds(640))
                }
            }
        }
    }

    /// Runs a change of a workspace's state over a connection to the control database, and meanwhile ends the sessions of this installation
    /// that block it.
    ///
    /// - Throws: `blocked` if a session of somebody else blocks the change, the errors of the pool, and the errors of `change`.
    func changing<T>(over pool: PostgresPool, _ change: (PostgresConnection) async throws -> T) async throws -> T {
        try await blockers.explaining(Workspace.rootID, for: .stop) {
            try await pool.withConnection { connection in
                try await unblocking(connection, to: control.primary) { try await change(connection) }
            }
        }
    }

    /// Runs `body` over a connection as the owner while the sessions of this installation that block the connection are
    /// ended.
    func unblocking<T>(
        _ connection: PostgresConnection,
        to cluster: Cluster,
        _ body: () async throws -> T
    ) async throws -> T {
        let unblocker = Unblocker(
            process: connection.backendProcessID,
            work: .stop,
            role: control.installation.runtimeRole,
            owner: control.owner.user ?? "",
            patience: options.blockerPatience,
            place: Workspace.rootID,
            blockers: blockers,
            logger: control.logger
        )
        return try await unblocker.run(body) { [control] statement, parameters in
            try await control.withOwner(cluster, database: nil) { try await $0.query(statement, parameters) }
        }
    }

    /// Holds a workspace's lock while `body` runs.
    ///
    /// The connection's session holds the lock, so one connection does the whole work.
    func withLock<T>(_ id: UUID, on connection: PostgresConnection, _ body: () async throws -> T) async throws -> T {
        do {
            return try await AdvisoryLock("workspace \(id)")
                .withLock(on: connection, patience: options.lockPatience, body)
        } catch let taken as AdvisoryLock.Taken where taken.lock == "workspace \(id)" {
            throw Self.busy
        }
    }
}
