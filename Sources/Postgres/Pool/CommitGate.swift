import Synchronization

/// The number of a pool's connections that only wait for the answer to an overdue COMMIT, and a limit for it.
///
/// Such a connection has left the pool, so that reads go on while commits wait for a standby that is gone. Without a limit, each further
/// change would leave one more session waiting, until the server has no connection left.
package final class CommitGate: Sendable {
    private let limit: Int
    private let all: CommitGate?
    private let count = Atomic<Int>(0)

    /// Creates a gate.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of connections.
    ///   - all: A gate of several pools, which outlives them: a pool can be closed while its commits still wait.
    package init(limit: Int, within all: CommitGate? = nil) {
        self.limit = limit
        self.all = all
    }

    func enter() {
        count.add(1, ordering: .relaxed)
        all?.enter()
    }

    func leave() {
        count.subtract(1, ordering: .relaxed)
        all?.leave()
    }

    /// The error of a transaction that must not begin now.
    var refusal: PostgresError? {
        guard count.load(ordering: .relaxed) >= limit else { return all?.refusal }
        return PostgresError(.queueFull, "earlier commits still wait for a synchronous standby")
    }
}
