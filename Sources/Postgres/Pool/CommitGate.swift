import Synchronization

/// The number of a pool's connections that only wait for the answer to an overdue COMMIT, and a limit for it.
///
/// Such a connection has left the pool, so that reads go on while commits wait for a standby that is gone. Without a limit, each further
/// change would leave one more session waiting, until the server has no connection left.
final class CommitGate: Sendable {
    private let limit: Int
    private let count = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    func enter() { count.add(1, ordering: .relaxed) }
    func leave() { count.subtract(1, ordering: .relaxed) }

    /// The error of a transaction that must not begin now.
    var refusal: PostgresError? {
        guard count.load(ordering: .relaxed) >= limit else { return nil }
        return PostgresError(.queueFull, "earlier commits still wait for a synchronous standby")
    }
}
