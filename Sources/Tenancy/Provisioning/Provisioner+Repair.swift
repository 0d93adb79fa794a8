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
    private static let unfinished = Statement(
        """
        SELECT id FROM control.workspaces WHERE (target_state IS NOT NULL OR state IN ('creating', 'deleting')) AND id > $1
            AND updated_at <= now() - make_interval(secs => $2)
        ORDER BY id LIMIT 100
        """
    )

    /// Sets up the clusters and reconciles every workspace that a crash left unfinished; called at each start.
    ///
    /// The method waits for a workspace that another node is working on. A workspace that fails does not stop the
    /// others.
    public func repairAll() async throws -> RepairReport {
        let unreachable = try await pool.withConnection { try await control.prepareClusters($0) }
        try await pool.withConnection { try await control.repairPrivileges($0) }
        var report = try await reconcileAll()
        report.unreachableClusters = unreachable
        unpreparedClusters.withLock { $0 = unreachable }
        return report
    }

    /// Sets up the clusters that could not be used at the start.
    ///
    /// Such a cluster lacks the files of this release, so that no node has a lease there, and perhaps the password of the runtime role.
    ///
    /// - Throws: The control database's errors, `CancellationError`.
    public func prepareRemainingClusters() async throws {
        let names = unpreparedClusters.withLock(\.self)
        if names.isEmpty { return }
        let left = try await pool.withConnection { try await control.prepareClusters($0, again: names) }
        unpreparedClusters.withLock { $0 = left }
        for name in names where !left.contains(name) {
            control.logger.notice("a cluster can be used again", metadata: ["cluster": "\(name)"])
        }
    }

    /// Reconciles every unfinished workspace.
    ///
    /// It can be called at any time.
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
        var report = RepairReport()
        for id in contradicted { try await reconcile(id, &report) }
        let seconds = Double(idle.components.seconds)
        var last = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        while true {
            let ids = try await pool.query(Self.unfinished, [last, seconds]).map { try $0.decode(0, as: UUID.self) }
            guard let end = ids.last else { return report }
            last = end
            for id in ids { try await reconcile(id, &report) }
        }
    }

    /// Reconciles a workspace, and notes and logs a failure.
    private func reconcile(_ id: UUID, _ report: inout RepairReport) async throws {
        do {
            try await reconcile(id)
            report.reconciled.append(id)
            _ = unrepaired.withLock { $0.remove(id) }
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
        }
    }
}
