public import FoundationEssentials
import Logging
import Postgres

/// What a repair found and did.
public struct RepairReport: Sendable, Hashable {
    /// Workspaces that were brought to where they were going.
    public internal(set) var settled: [UUID] = []
    /// Workspaces where that failed; they are tried again by the next repair.
    public internal(set) var failed: [UUID] = []
    /// Clusters that cannot be used at this moment.
    public internal(set) var unreachableClusters: [String] = []
}

extension Provisioner {
    private static let unsettled = Statement(
        """
        SELECT id FROM control.workspaces WHERE (target_state IS NOT NULL OR state IN ('creating', 'deleting')) AND id > $1
            AND updated_at <= now() - make_interval(secs => $2)
        ORDER BY id LIMIT 100
        """
    )

    /// Sets up the clusters and finishes everything that a crash left half done; called at a start.
    ///
    /// A workspace that another node is working on is waited for, and then found finished. One that fails does not stop the rest.
    public func repairAll() async throws -> RepairReport {
        let unreachable = try await pool.withConnection {
            try await control.prepareClusters(control.store(on: $0))
        }
        var report = try await settleAll()
        report.unreachableClusters = unreachable
        return report
    }

    /// Finishes everything that was left half done; called as often as one likes.
    ///
    /// What others are doing at the moment is left to them: nothing may have happened to a workspace for as long as `rest`.
    public func settleAll(atRestFor rest: Duration = .zero) async throws -> RepairReport {
        var report = RepairReport()
        let seconds = Double(rest.components.seconds)
        var last = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        while true {
            let ids = try await pool.query(Self.unsettled, [last, seconds]).map { try $0.decode(0, as: UUID.self) }
            guard let end = ids.last else { return report }
            last = end
            for id in ids {
                do {
                    try await settle(id)
                    report.settled.append(id)
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    report.failed.append(id)
                    control.logger.error(
                        "a workspace could not be repaired",
                        metadata: ["workspace": "\(id)", "error": "\(error)"]
                    )
                }
            }
        }
    }
}
