import FoundationEssentials
import Keys
import Locks
package import Logging
import Postgres
package import Tenancy

/// Announces the events of this node's changes to the nodes that make deliveries of them.
///
/// A change marks its workspace in the control database before it begins, so that another node finds the events of a node that
/// dies. After the change, this node is told to read the events at once.
package final class EventAnnouncer: Sendable {
    /// The time for which this node does not mark a workspace again.
    ///
    /// It is much shorter than the time for which a mark lasts.
    private static let repetition = Duration.seconds(5)
    private static let capacity = 10_000
    /// The time for which a database is read at once as soon as it can be: longer than the lease of another node.
    private static let hintTime = Duration.seconds(12)

    private struct Mark {
        let at: ContinuousClock.Instant
        /// False if the organization had no enabled webhook, so that nothing was marked.
        let isWanted: Bool
    }

    private struct State {
        var marked: [UUID: Mark] = [:]
        /// The databases that were changed, each with the instant of its last change.
        var hints: [UUID: ContinuousClock.Instant] = [:]
        /// The workspaces whose mark failed.
        var unmarked: [UUID: WorkspaceFacts] = [:]
    }

    private let state = Locked(State())
    private let databases: Databases
    private let patience: Duration
    private let logger: Logger
    let wakeup = Wakeup()

    /// Creates the announcer of a node.
    ///
    /// - Parameters:
    ///   - databases: The databases.
    ///   - patience: The maximum wait for a mark, so that a busy control database does not hold up a revocation.
    ///   - logger: Gets a line for a mark that failed, at level `debug`.
    package init(_ databases: Databases, patience: Duration = .milliseconds(500), logger: Logger) {
        self.databases = databases
        self.patience = patience
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
        try await announcing(
            workspace,
            marking: { mark in
                await mark.end()
                return try await change()
            }
        )
    }

    /// Runs a change as ``announcing(_:_:)`` does, and marks the workspace meanwhile.
    ///
    /// - Parameters:
    ///   - workspace: The workspace of the change; `nil` for a change in the control database.
    ///   - change: The change. It must wait for the mark before its transaction begins. The mark ends with the caller's common deadline at
    ///     the latest.
    /// - Returns: The value that `change` returns.
    /// - Throws: The error of `change`.
    package func announcing<Value>(
        _ workspace: WorkspaceFacts?,
        marking change: (EventMark) async throws -> Value
    ) async throws -> Value {
        let mark = EventMark(work: workspace.flatMap { begin($0) })
        // A failed COMMIT can have committed, so the events are looked for in any case.
        defer { hint(workspace) }
        return try await change(mark)
    }

    /// Starts reading the events of a database on this node, unless its organization has no webhook.
    package func hint(_ workspace: WorkspaceFacts?) {
        let id = workspace?.workspaceID ?? EventSource.control.id
        let now = ContinuousClock.now
        let isWanted = state.withLock { state in
            // The change can be a new webhook, with which workspaces are wanted that were not before.
            if workspace == nil { state.marked = state.marked.filter { $0.value.isWanted } }
            if let mark = state.marked[id], !mark.isWanted, now - mark.at < Self.repetition { return false }
            if state.hints.count < Self.capacity || state.hints[id] != nil { state.hints[id] = now }
            return true
        }
        if isWanted { wakeup.wake() }
    }

    /// Begins to mark a workspace, unless this node has marked it a moment ago.
    private func begin(_ workspace: WorkspaceFacts) -> Task<Void, Never>? {
        if isMarked(workspace, at: .now) { return nil }
        return Task { await mark(workspace) }
    }

    private func isMarked(_ workspace: WorkspaceFacts, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            guard let last = state.marked[workspace.workspaceID] else { return false }
            return now - last.at < Self.repetition
        }
    }

    /// Marks a workspace in the control database.
    private func mark(_ workspace: WorkspaceFacts) async {
        let now = ContinuousClock.now
        do {
            let isWanted = try await PostgresDeadline.with(patience) {
                try await databases.control.pool.withConnection {
                    try await EventSources(connection: $0).mark(workspace)
                }
            }
            state.withLock { state in
                if state.marked.count >= Self.capacity { state.marked = [:] }
                state.marked[workspace.workspaceID] = Mark(at: now, isWanted: isWanted)
                state.unmarked[workspace.workspaceID] = nil
            }
        } catch {
            state.withLock { state in
                if state.unmarked.count < Self.capacity { state.unmarked[workspace.workspaceID] = workspace }
            }
            logger.debug(
                "a workspace could not be marked for webhooks",
                metadata: [
                    "workspace_id": .string(UUIDv7.text(of: workspace.workspaceID)), "error": "\(error)",
                ]
            )
        }
    }

    /// Marks the workspaces again whose mark failed.
    func repeatMarks() async {
        let waiting = state.withLock { Array($0.unmarked.values) }
        for workspace in waiting where !isMarked(workspace, at: .now) { await mark(workspace) }
    }

    /// Returns the databases to read at once.
    ///
    /// A database stays among them until ``take(_:)``, because another node can have its lease at the moment.
    ///
    /// - Parameters:
    ///   - sources: The databases that this node reads already. They are read once more afterwards.
    ///   - now: The current instant.
    /// - Returns: The ids of the databases.
    func hints(except sources: Set<UUID>, at now: ContinuousClock.Instant) -> [UUID] {
        state.withLock { state in
            state.hints = state.hints.filter { now - $0.value < Self.hintTime }
            return state.hints.keys.filter { !sources.contains($0) }
        }
    }

    /// Removes databases that are not marked, unless they were changed since an instant.
    ///
    /// A change marks its database before it begins. If the mark failed, the repeated one makes the database due.
    func drop(_ sources: [UUID], unchangedSince now: ContinuousClock.Instant) {
        state.withLock { state in
            for id in sources where state.hints[id].map({ $0 <= now }) == true { state.hints[id] = nil }
        }
    }

    /// Removes databases that this node begins to read.
    func take(_ sources: [UUID]) {
        state.withLock { state in
            for id in sources { state.hints[id] = nil }
        }
    }
}

/// The mark of a workspace whose change is about to begin.
package struct EventMark: Sendable {
    fileprivate let work: Task<Void, Never>?

    /// Waits until the workspace is marked, or the mark has failed.
    package func end() async { await work?.value }
}
