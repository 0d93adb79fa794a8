package import FoundationEssentials
import Locks

/// The pace of work that occupies what all tenants share, such as processors and the disk.
///
/// A number of places bounds the work that an owner does at the same time, but not the work that it does in sequence. So each piece of work
/// has a cost in time. The next piece of the same owner waits until the costs of its earlier pieces have elapsed, minus an allowance.
package final class Pace: Sendable {
    /// The times at which the costs of the owners' work will have elapsed, since the beginning of `elapsed`.
    private let nextStarts = Locked<[UUID?: Duration]>([:])
    private let allowance: Duration
    private let patience: Duration
    private let elapsed: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Creates a pace.
    ///
    /// - Parameters:
    ///   - allowance: The cost of the work that need not wait after a pause.
    ///   - patience: The maximum wait.
    ///   - elapsed: The time since some moment. Defaults to that of a `ContinuousClock`.
    ///   - sleep: Waits. Throws if the task is cancelled.
    package init(
        allowance: Duration,
        patience: Duration,
        elapsed: (@Sendable () -> Duration)? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        let start = ContinuousClock.now
        self.allowance = allowance
        self.patience = patience
        self.elapsed = elapsed ?? { ContinuousClock.now - start }
        self.sleep = sleep
    }

    /// The number of owners that are remembered: those whose costs had not elapsed at the last call of ``wait(for:cost:)``.
    package var count: Int { nextStarts.withLock { $0.count } }

    /// Returns the time at which the costs of an owner will have elapsed, if the owner is remembered.
    package func due(of owner: UUID?) -> Duration? { nextStarts.withLock { $0[owner] } }

    /// Waits until an owner may do some work.
    ///
    /// - Parameters:
    ///   - owner: The owner; `nil` is an owner like any other.
    ///   - cost: The cost of the work.
    /// - Throws: `capacityExceeded` if the wait would be too long, and `CancellationError`. The work costs nothing then.
    package func wait(for owner: UUID?, cost: Duration) async throws {
        let pause = try enter(owner, cost)
        guard pause > .zero else { return }
        do {
            try await sleep(pause)
        } catch {
            nextStarts.withLock { $0[owner]? -= cost }
            throw error
        }
    }

    /// Adds the cost of some work, and returns the time to wait before it.
    private func enter(_ owner: UUID?, _ cost: Duration) throws(TenancyError) -> Duration {
        let now = elapsed()
        let pause: Duration? = nextStarts.withLock { nextStarts in
            nextStarts = nextStarts.filter { $0.value > now }
            let due = nextStarts[owner] ?? now
            let pause = due - now - allowance
            guard pause <= patience else { return nil }
            nextStarts[owner] = due + cost
            return pause
        }
        guard let pause else { throw TenancyError(.capacityExceeded, "too much work of this kind waits for its turn") }
        return pause
    }
}
