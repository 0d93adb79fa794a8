import FoundationEssentials
import KeyStore
import Locks
import Tenancy

/// The places at which the next run of upkeep goes on, and the failures of the last runs.
///
/// They are in memory only: a node that starts begins with the first rows.
final class UpkeepProgress: Sendable {
    /// The ends of the ranges of rows that the last run has looked at in a database; `nil` at the end of a table.
    struct Places: Sendable {
        var secret: UUID?
        var address: UsageStore.AddressPosition?
    }

    /// A step in a database; `nil` stands for the connection to it.
    private struct Fault: Hashable {
        let step: Upkeep.Step?
        let database: UUID
    }

    private struct State {
        var places: [UUID: Places] = [:]
        /// The numbers of failures in a row.
        var failures: [Fault: Int] = [:]
    }

    private let state = Locked(State())

    /// Returns the places at which the searches in a database go on.
    func places(in workspace: WorkspaceFacts?) -> Places {
        let id = Self.id(of: workspace)
        return state.withLock { $0.places[id] ?? Places() }
    }

    /// Sets the places at which the searches in a database go on.
    func set(_ places: Places, in workspace: WorkspaceFacts?) {
        let id = Self.id(of: workspace)
        state.withLock { $0.places[id] = places }
    }

    /// Notes a failure, and returns the number of failures in a row.
    func failed(_ step: Upkeep.Step?, in workspace: WorkspaceFacts?) -> Int {
        let fault = Fault(step: step, database: Self.id(of: workspace))
        return state.withLock { state in
            let count = state.failures[fault, default: 0] + 1
            state.failures[fault] = count
            return count
        }
    }

    /// Notes that a step, or the connection, did not fail.
    func worked(_ step: Upkeep.Step?, in workspace: WorkspaceFacts?) {
        let fault = Fault(step: step, database: Self.id(of: workspace))
        state.withLock { $0.failures[fault] = nil }
    }

    /// Forgets all databases except those of some workspaces.
    func forget(allBut workspaces: Set<UUID>) {
        state.withLock { state in
            state.places = state.places.filter { workspaces.contains($0.key) }
            state.failures = state.failures.filter { workspaces.contains($0.key.database) }
        }
    }

    private static func id(of workspace: WorkspaceFacts?) -> UUID { workspace?.workspaceID ?? Workspace.rootID }
}
