import FoundationEssentials
import Locks

/// The searches for notices that are under way on this node.
///
/// A server that does not answer gets about half of them, so the databases of other servers are still searched. The keys of organizations
/// are in one database, whose connections are few, and are searched one organization after the other.
final class SearchSlots: Sendable {
    /// The maximum number of searches at once.
    static let total = 8
    /// The number of searches of one cluster at which no further one begins.
    static let perCluster = total / 2
    /// Stands for the control database.
    static let control = EventSource.control.id

    private let clusters = Locked<[UUID: Int]>([:])

    /// The number of searches that can begin.
    var rest: Int { clusters.withLock { max(0, Self.total - $0.values.reduce(0, +)) } }

    /// The clusters of which no search can begin.
    var full: [UUID] {
        clusters.withLock { clusters in
            clusters.filter { $0.value >= ($0.key == Self.control ? 1 : Self.perCluster) }.map(\.key)
        }
    }

    func begin(_ cluster: UUID) { clusters.withLock { $0[cluster, default: 0] += 1 } }

    func end(_ cluster: UUID) {
        clusters.withLock { clusters in
            let count = (clusters[cluster] ?? 1) - 1
            clusters[cluster] = count > 0 ? count : nil
        }
    }
}
