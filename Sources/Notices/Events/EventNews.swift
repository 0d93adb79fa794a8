import FoundationEssentials
import Locks
package import Logging
import Postgres
package import Tenancy

/// The news of this node: the workspaces that it changes, and the databases that have new events.
///
/// A change marks its workspace in the control database before it begins, so that another node finds the events of a node that
/// dies. After the change, this node is told to read the events at once.
package final class EventNews: Sendable {
    /// The time for which this node does not mark a workspace again.
    ///
    /// It is much shorter than the time for which a mark lasts.
    private static let repetition = Duration.seconds(5)
    /// The maximum wait for a mark, so that a busy control database does not hold up a revocation.
    private static let patience = Duration.milliseconds(500)
    private static let capacity = 10_000

    private struct State {
        var marked: [UUID: ContinuousClock.Instant] = [:]
        var hints: Set<UUID> = []
        /// The workspaces whose mark failed.
        var unmarked: [UUID: WorkspaceFacts] = [:]
    }

    private let state = Locked(State())
    private let databases: Databases
    private let logger: Logger
    let wakeup = Wakeup()

    /// Creates the news of a node.
    package init(_ databases: Databases, logger: Logger) {
        self.databases = databases
        self.logger = logger
    }

    /// Runs a change whose events stand in a database.
    ///
    /// The change takes place even if the mark fails. The mark is then repeated, and the hourly upkeep finds the events if this
    /// node dies before.
    ///
    /// - Parameters:
    ///   - workspace: The workspace of the change; `nil` for a change in the control database.
    ///   - change: The change.
    /// - Returns: The value that `change` returns.
    /// - Throws: The error of `change`.
    package func announcing<Value>(
        _ workspace: WorkspaceFacts?,
        _ change: () async throws -> Value
    ) async throws -> Value {
        if let workspace { await mark(workspace) }
        // A failed COMMIT can have committed, so the events are looked for in any case.
        defer { hint(workspace) }
        return try await change()
    }

    /// Starts reading the events of a database on this node.
    package func hint(_ workspace: WorkspaceFacts?) {
        let id = workspace?.workspaceID ?? EventSource.control.id
        state.withLock { state in
            if state.hints.count < Self.capacity { state.hints.insert(id) }
        }
        wakeup.wake()
    }

    /// Marks a workspace in the control database.
    private func mark(_ workspace: WorkspaceFacts) async {
        let now = ContinuousClock.now
        let isFresh = state.withLock { state in
            guard let last = state.marked[workspace.workspaceID] else { return false }
            return now - last < Self.repetition
        }
        if isFresh { return }
        do {
            try await PostgresDeadline.with(Self.patience) {
                try await databases.control.pool.withConnection {
                    try await EventSources(connection: $0).mark(workspace)
                }
            }
            state.withLock { state in
                if state.marked.count >= Self.capacity { state.marked = [:] }
                state.marked[workspace.workspaceID] = now
                state.unmarked[workspace.workspaceID] = nil
            }
        } catch {
            state.withLock { state in
                if state.unmarked.count < Self.capacity { state.unmarked[workspace.workspaceID] = workspace }
            }
            logger.debug(
                "a workspace could not be marked for webhooks",
                metadata: ["workspace_id": "\(workspace.workspaceID)", "error": "\(error)"]
            )
        }
    }

    /// Marks the workspaces again whose mark failed.
    func repeatMarks() async {
        let waiting = state.withLock { Array($0.unmarked.values) }
        for workspace in waiting { await mark(workspace) }
    }

    /// Returns the databases to read at once, which it forgets.
    func takeHints() -> [UUID] {
        state.withLock { state in
            defer { state.hints = [] }
            return Array(state.hints)
        }
    }
}
