public import FoundationEssentials
import Keys
import Locks
import Logging
import Postgres

/// The result of a repair.
public struct RepairReport: Sendable, Hashable {
    /// The workspaces that were reconciled.
    public internal(set) var reconciled: [UUID] = []
    /// The workspaces that could not be reconciled.
    ///
    /// The next repair tries again.
    public internal(set) var failed: [UUID] = []
    /// The names of the clusters that cannot be used at the moment.
    public internal(set) var unreachableClusters: [String] = []
}

extension Provisioner {
    /// Parameters: the time at rest, contradicted workspaces, and names of clusters that come last.
    private static let clusters = Statement(
        """
        SELECT c.id FROM control.clusters c
        WHERE EXISTS (SELECT FROM control.workspaces w WHERE w.cluster_id = c.id AND (\(isUnfinished(1)) OR w.id = ANY ($2)))
        ORDER BY c.name = ANY ($3), c.created_at
        """,
        prepared: false
    )

    /// Parameters: the cluster, the last workspace before, and the time at rest.
    private static let unfinished = Statement(
        """
        SELECT w.id FROM control.workspaces w WHERE w.cluster_id = $1 AND w.id > $2 AND \(isUnfinished(3))
        ORDER BY w.id LIMIT 100
        """
    )

    /// Parameters: the cluster, and the ids of workspaces.
    private static let some = Statement(
        "SELECT w.id FROM control.workspaces w WHERE w.cluster_id = $1 AND w.id = ANY ($2) ORDER BY w.id",
        prepared: false
    )

    /// Returns the condition for workspaces that a crash left unfinished.
    ///
    /// - Parameter rest: The number of the parameter with the seconds for which a workspace must not have changed.
    /// - Returns: SQL about the row `w`.
    private static func isUnfinished(_ rest: Int) -> String {
        """
        (w.target_state IS NOT NULL OR w.state IN ('creating', 'deleting')) \
        AND w.updated_at <= now() - make_interval(secs => $\(rest))
        """
    }

    /// Sets up the clusters and reconciles every workspace that a crash left unfinished; called at each start.
    ///
    /// The method waits for a workspace that another node is working on. A workspace that fails does not stop the
    /// others, and a cluster that cannot be reached does not hold up the other ones.
    ///
    /// - Parameter limit: The maximum time, after which the rest is left to ``reconcileAll(idleFor:and:)`` and
    ///   ``prepareRemainingClusters()``. Defaults to `nil`: only each step has a deadline.
    /// - Returns: The workspaces that were reconciled, and what failed.
    /// - Throws: The control database's errors, `CancellationError`.
    public func repairAll(within limit: Duration? = nil) async throws -> RepairReport {
        guard let limit else { return try await repairClustersAndWorkspaces() }
        return try await PostgresDeadline.with(limit) { try await repairClustersAndWorkspaces() }
    }

    private func repairClustersAndWorkspaces() async throws -> RepairReport {
        let clusters = try await pool.withConnection { try await ControlDatabase.allClusters($0) }
        let unreachable = try await prepare(clusters.filter { !$0.isPrimary }, failingAt: .warning)
        unpreparedClusters.withLock { $0 = unreachable }
        var report = RepairReport()
        do {
            try await pool.withConnection { try await control.repairPrivileges($0, except: Set(unreachable)) }
            report = try await reconcileAll()
        } catch let error as PostgresError where Self.isOver {
            control.logger.debug("the time for repairs is over", metadata: ["error": "\(error)"])
        }
        if Self.isOver {
            control.logger.warning("the start goes on without some repairs, which are made while the server runs")
        }
        report.unreachableClusters = unreachable
        return report
    }

    /// True if the common deadline of the repairs has passed.
    private static var isOver: Bool { PostgresDeadline.remaining == Duration.zero }

    /// Sets up the clusters that could not be used at the start.
    ///
    /// Such a cluster lacks the files of this release, so that no node has a lease there, and perhaps the password of the runtime role.
    ///
    /// - Throws: The control database's errors, `CancellationError`.
    public func prepareRemainingClusters() async throws {
        let names = unpreparedClusters.withLock(\.self)
        if names.isEmpty { return }
        let clusters = try await pool.withConnection { try await ControlDatabase.allClusters($0) }
        let left = try await prepare(clusters.filter { names.contains($0.name) }, failingAt: .debug)
        unpreparedClusters.withLock { $0 = left }
        for name in names where !left.contains(name) {
            control.logger.notice("a cluster can be used again", metadata: ["cluster": "\(name)"])
        }
    }

    /// Sets up the runtime role on clusters other than the primary one again.
    ///
    /// - Parameters:
    ///   - clusters: The clusters.
    ///   - level: The level of the log line of a failure.
    /// - Returns: The names of the clusters where that failed.
    /// - Throws: The control database's errors.
    private func prepare(_ clusters: [Cluster], failingAt level: Logger.Level) async throws -> [String] {
        try await forEach(clusters) { cluster -> String? in
            do {
                let isPrepared = try await self.pool.withConnection { connection in
                    await self.control.prepareAgain(cluster, control: connection, failingAt: level)
                }
                return isPrepared ? nil : cluster.name
            } catch  where Self.isOver {
                return cluster.name
            }
        }
        .compactMap(\.self).sorted()
    }

    /// Runs `body` for each of some clusters, for several of them at the same time.
    ///
    /// One of the connections to the control database is left for other work.
    private func forEach<Place: Sendable, Value: Sendable>(
        _ clusters: [Place],
        _ body: @escaping @Sendable (Place) async throws -> Value
    ) async throws -> [Value] {
        let most = max(1, options.maximumConnections - 1)
        return try await withThrowingTaskGroup(of: Value.self) { group in
            var values: [Value] = []
            for (index, cluster) in clusters.enumerated() {
                if index >= most, let value = try await group.next() { values.append(value) }
                group.addTask { try await body(cluster) }
            }
            for try await value in group { values.append(value) }
            return values
        }
    }

    /// Reconciles every unfinished workspace.
    ///
    /// It can be called at any time. The workspaces of one cluster come one after the other, and those of different clusters at the same
    /// time. After the first one whose cluster cannot be reached, the other ones of that cluster are left to the next call.
    ///
    /// - Parameters:
    ///   - idle: The time for which a workspace must not have changed. It leaves alone what other nodes are doing.
    ///   - contradicted: Stopped workspaces whose own databases say that they are active. They are stopped again.
    /// - Returns: The workspaces that were reconciled, and those that failed.
    /// - Throws: The control database's errors, `CancellationError`.
    public func reconcileAll(
        idleFor idle: Duration = .zero,
        and contradicted: Set<UUID> = []
    ) async throws -> RepairReport {
        let seconds = Double(idle.components.seconds)
        // Those that could not be set up would take all places first.
        let last = unpreparedClusters.withLock(\.self)
        let clusters = try await pool.query(Self.clusters, [seconds, Array(contradicted), last])
            .map { try $0.decode(0, as: UUID.self) }
        let reports = try await forEach(clusters) { cluster in
            try await self.reconcileAll(on: cluster, idleFor: seconds, and: contradicted)
        }
        return reports.reduce(into: RepairReport()) { sum, report in
            sum.reconciled += report.reconciled
            sum.failed += report.failed
        }
    }

    private func reconcileAll(
        on cluster: UUID,
        idleFor seconds: Double,
        and contradicted: Set<UUID>
    ) async throws -> RepairReport {
        var report = RepairReport()
        if !contradicted.isEmpty {
            let ids = try await pool.query(Self.some, [cluster, Array(contradicted)])
                .map { try $0.decode(0, as: UUID.self) }
            guard try await reconcile(ids, &report) else { return report }
        }
        var last = UUIDv7.beforeAll
        while true {
            let ids: [UUID]
            do {
                ids = try await pool.query(Self.unfinished, [cluster, last, seconds])
                    .map { try $0.decode(0, as: UUID.self) }
            } catch  where Self.isOver {
                return report
            }
            guard let end = ids.last, try await reconcile(ids, &report) else { return report }
            last = end
        }
    }

    /// Reconciles workspaces of one cluster.
    ///
    /// - Returns: False if the cluster cannot be reached, or if the time is over.
    private func reconcile(_ ids: [UUID], _ report: inout RepairReport) async throws -> Bool {
        for id in ids {
            if Self.isOver { return false }
            guard try await reconcile(id, &report) else { return false }
        }
        return true
    }

    /// Reconciles a workspace, and notes and logs a failure.
    ///
    /// - Returns: False if the workspace's cluster cannot be reached.
    private func reconcile(_ id: UUID, _ report: inout RepairReport) async throws -> Bool {
        do {
            try await reconcile(id)
            report.reconciled.append(id)
            _ = unrepaired.withLock { $0.remove(id) }
            return true
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            report.failed.append(id)
            // The next attempts, every few seconds, have nothing new to say.
            let isNew = unrepaired.withLock { ids in
                if ids.count >= Self.maximumUnrepaired { ids = [] }
                return ids.insert(id).inserted
            }
            control.logger.log(
                level: isNew ? .error : .debug,
                "a workspace could not be repaired",
                metadata: ["workspace": .string(UUIDv7.text(of: id)), "error": "\(error)"]
            )
            return !Self.isUnreachable(error)
        }
    }

    /// Returns true if a server accepts no connection at all.
    ///
    /// A refusal for one database or one role says nothing about its other databases, and neither does a statement that took too long: a
    /// workspace that always fails in this way must not keep the next ones from their repair.
    private static func isUnreachable(_ error: any Error) -> Bool {
        let cause = (error as? UnusableDatabase)?.cause ?? (error as? PostgresError)
        guard let cause, cause.code == .connectFailed else { return false }
        // Class 57: the server starts or shuts down.
        guard let state = cause.sqlState else { return true }
        return state.errorClass == "57"
    }
}
