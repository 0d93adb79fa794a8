import Locks
import Tenancy

/// The standbys of each PostgreSQL server, as they were read last, for the metrics.
///
/// A scrape cannot wait for the servers.
final class StandbyFigures: Sendable {
    /// The standbys of one server.
    struct Figures: Sendable {
        /// The number of standbys that follow.
        var count = 0
        /// The WAL bytes that the slowest standby has not replayed.
        var lagBytes = 0
        /// The longest time that a standby needs to replay a change.
        var lagMilliseconds = 0
    }

    private let known = Locked<[String: Figures]>([:])

    /// The figures by the name of the cluster.
    var all: [String: Figures] { known.withLock(\.self) }

    /// Notes what was read.
    ///
    /// A cluster that was removed keeps its series, without a standby.
    func note(_ standbys: [String: [ServerStatus.Standby]]) {
        known.withLock { known in
            known = known.mapValues { _ in Figures() }
            for (cluster, standbys) in standbys {
                known[cluster] = standbys.reduce(into: Figures()) { figures, standby in
                    figures.count += 1
                    figures.lagBytes = max(figures.lagBytes, standby.lagBytes)
                    figures.lagMilliseconds = max(figures.lagMilliseconds, standby.lagMilliseconds)
                }
            }
        }
    }
}
