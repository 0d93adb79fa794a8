package import FoundationEssentials
import Locks

/// The pace of work that occupies what all tenants share, such as processors and the disk.
///
/// Places bound the work of an owner at a time, but one piece after the other would make everybody else wait all the time. So each piece has
/// a cost in time, and the next one waits until the earlier ones of its owner are paid for, but for a credit.
package final class Pace: Sendable {
    /// The times at which the work of the owners will be paid for, since the beginning of `elapsed`.
    private let dues = Locked<[UUID?: Duration]>([:])
    private let credit: Duration
    private let patience: Duration
    private let elapsed: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Creates a pace.
    ///
    /// - Parameters:
    ///   - credit: The cost of the work that waits for nothing after a pause.
    ///   - patience: The maximum wait.
    ///   - elapsed: The time since some moment. Defaults to that of a `ContinuousClock`.
    ///   - sleep: Waits. Throws if the task is cancelled.
    package init(
        credit: Duration,
        patience: Duration,
        elapsed: (@Sendable () -> Duration)? = nil,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        let start = ContinuousClock.now
        self.credit = credit
        self.patience = patience
        self.elapsed = elapsed ?? { ContinuousClock.now - start }
        self.sleep = sleep
    }

    /// The number of owners that are remembered: those whose work was not paid for when somebody last asked.
    package var count: Int { dues.withLock { $0.count } }

    /// Returns the time at which the work of an owner will be paid for, if the owner is remembered.
    package func due(of owner: UUID?) -> Duration? { dues.withLock { $0[owner] } }

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
            dues.withLock { $0[owner]? -= cost }
            throw error
        }
    }

    /// Adds the cost of some work, and returns the time to wait before it.
    private func enter(_ owner: UUID?, _ cost: Duration) throws(TenancyError) -> Duration {
        let now = elapsed()
        let pause: Duration? = dues.withLock { dues in
            dues = dues.filter { $0.value > now }
            let due = dues[owner] ?? now
            let pause = due - now - credit
            guard pause <= patience else { return nil }
            dues[owner] = due + cost
            return pause
        }
        guard let pause else { throw TenancyError(.capacityExceeded, "too much work of this kind waits for its turn") }
        return pause
    }
}
