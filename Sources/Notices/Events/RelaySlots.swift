import FoundationEssentials
import Locks

/// A source of events that this node has leased.
struct ClaimedSource: Sendable, Hashable {
    /// The source.
    let source: EventSource
    /// The cluster of the workspace; `nil` for the control database, and for a workspace that was deleted.
    let clusterID: UUID?
}

/// The sources of events that the next claim can take.
struct RelayShares: Sendable {
    /// The number of sources.
    let count: Int
    /// The number of sources of a cluster that is not in ``clusters``.
    let perCluster: Int
    /// The number of further sources of each cluster of which this node reads some.
    let clusters: [UUID: Int]
    /// The sources that this node reads.
    let sources: Set<UUID>
}

/// The sources of events that this node reads at the moment.
///
/// Each keeps its slot for as long as its database takes, so a slow database holds up no other.
final class RelaySlots: Sendable {
    /// The maximum number of sources at once.
    static let total = 8
    /// The maximum number of sources of one cluster at once.
    let perCluster: Int

    private struct State {
        var sources: Set<UUID> = []
        var clusters: [UUID: Int] = [:]
        var isRetrying = false
    }

    private let state = Locked(State())

    /// Creates slots.
    ///
    /// - Parameter perCluster: The maximum number of sources of one cluster at once.
    init(perCluster: Int) {
        self.perCluster = perCluster
    }

    /// The sources that the next claim can take.
    var shares: RelayShares {
        state.withLock { state in
            RelayShares(
                count: max(0, Self.total - state.sources.count),
                perCluster: perCluster,
                clusters: state.clusters.mapValues { max(0, perCluster - $0) },
                sources: state.sources
            )
        }
    }

    /// Takes the slot of a source.
    func begin(_ claimed: ClaimedSource) {
        state.withLock { state in
            state.sources.insert(claimed.source.id)
            if let cluster = claimed.clusterID { state.clusters[cluster, default: 0] += 1 }
        }
    }

    /// Returns the slot of a source.
    func end(_ claimed: ClaimedSource) {
        state.withLock { state in
            state.sources.remove(claimed.source.id)
            guard let cluster = claimed.clusterID else { return }
            let count = (state.clusters[cluster] ?? 1) - 1
            state.clusters[cluster] = count > 0 ? count : nil
        }
    }

    /// Returns true if no repetition of a claim is planned yet, and notes that one is.
    func planRetry() -> Bool {
        state.withLock { state in
            defer { state.isRetrying = true }
            return !state.isRetrying
        }
    }

    /// Notes that the planned repetition begins.
    func beginRetry() { state.withLock { $0.isRetrying = false } }
}
