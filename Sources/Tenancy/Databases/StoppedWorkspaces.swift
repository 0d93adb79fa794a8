public import FoundationEssentials
import Locks
package import Postgres

/// The workspaces that are suspended or archived by the word of the control database, as this node last read it.
///
/// A look-up of a key goes by the state in the workspace's own database. A database that was restored by hand has the state of an older
/// moment, so a workspace that was suspended since then would accept its keys. The set costs a look-up nothing, and a workspace that is in
/// it by mistake, because it was resumed since, a read of the control database.
final class StoppedWorkspaces: Sendable {
    /// A change that is under way is no difference: the two databases are changed one after the other.
    private static let isStopped = "w.state IN ('suspended', 'archived') AND w.target_state IS NULL"
    static let all = Statement("SELECT w.id FROM control.workspaces w WHERE \(isStopped)")
    static let one = Statement("SELECT 1 FROM control.workspaces w WHERE w.id = $1 AND \(isStopped)")

    private let known = Striped<Set<UUID>>([])
    private let contradicted = Locked<Set<UUID>>([])

    /// Replaces the set.
    func set(_ ids: Set<UUID>) { known.updateAll { $0 = ids } }

    /// Returns true if the set has a workspace.
    func contains(_ id: UUID) -> Bool { known.withCurrent { $0.contains(id) } }

    /// Notes that a workspace's own database says that it is active.
    func note(_ id: UUID) { contradicted.withLock { _ = $0.insert(id) } }

    /// Returns the noted workspaces, and forgets them.
    func take() -> Set<UUID> {
        contradicted.withLock { ids in
            defer { ids = [] }
            return ids
        }
    }
}

extension Databases {
    /// Reads which workspaces are stopped; called at the start, and again and again.
    ///
    /// - Throws: The control database's errors.
    public func readStoppedWorkspaces() async throws {
        let rows = try await control.pool.query(StoppedWorkspaces.all)
        stopped.set(Set(try rows.map { try $0.decode(0, as: UUID.self) }))
    }

    /// Returns true if a workspace is stopped, for a look-up that found the opposite in the workspace's own database.
    ///
    /// Such a workspace is noted for the repair.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: False also for a workspace that was stopped after this node last read the states.
    /// - Throws: The control database's errors, if this node knows the workspace as stopped and cannot ask if it was resumed.
    package func isStopped(_ workspace: WorkspaceFacts) async throws(PostgresError) -> Bool {
        guard stopped.contains(workspace.workspaceID) else { return false }
        if try await control.lookups.query(StoppedWorkspaces.one, [workspace.workspaceID]).isEmpty { return false }
        stopped.note(workspace.workspaceID)
        return true
    }

    /// Returns the stopped workspaces whose own databases were found to say that they are active, once.
    public func takeContradictedWorkspaces() -> Set<UUID> { stopped.take() }
}
