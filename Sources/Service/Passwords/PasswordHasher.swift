import NIOPosix
import Synchronization

/// Hashes and checks passwords on threads of their own, a few at once.
///
/// Each takes memory and a processor on purpose, so an unbounded number of sign-ins would take the whole machine with them. Those that do
/// not fit in the line are refused, which costs nothing.
final class PasswordHasher: Sendable {
    private struct State {
        var running = 0
        var nextID: UInt64 = 0
        var waiting: [(id: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let cost: PasswordCost
    private let width: Int
    private let capacity: Int
    private let randomness: Randomness
    private let state = Mutex(State())
    /// A hash of nothing in particular, to be compared with where there is no user: the answer must take as long.
    private let decoy: PasswordHash

    /// Prepares to hash.
    ///
    /// - Parameters:
    ///   - cost: what a new hash costs.
    ///   - width: how many at once.
    ///   - capacity: how many may wait.
    ///   - randomness: where salt comes from.
    init(cost: PasswordCost, width: Int = 2, capacity: Int = 32, randomness: Randomness) {
        self.cost = cost
        self.width = width
        self.capacity = capacity
        self.randomness = randomness
        self.decoy = .decoy(cost)
    }

    /// Hashes a new password.
    ///
    /// - Throws: `Refusal.overloaded`, `CancellationError`.
    func hash(_ password: String) async throws -> PasswordHash {
        let salt = PasswordHash.salt(self.randomness)
        return try await self.run { [cost] in try PasswordHash(of: password, cost: cost, salt: salt) }
    }

    /// Whether a password is the one of a hash; without a hash it takes as long and is not.
    ///
    /// - Returns: whether it matches, and a new hash where the old one was made at another cost.
    /// - Throws: `Refusal.overloaded`, `CancellationError`.
    func check(_ password: String, _ stored: String?) async throws -> (matches: Bool, renewed: PasswordHash?) {
        let hash = stored.flatMap(PasswordHash.init)
        let compared = hash ?? self.decoy
        let matches = try await self.run { try compared.matches(password) } && hash != nil
        guard matches, compared.isOutdated(self.cost) else { return (matches, nil) }
        return (true, try await self.hash(password))
    }

    private func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await self.enter()
        defer { self.leave() }
        return try await NIOThreadPool.singleton.runIfActive(work)
    }

    /// Waits for a place.
    private func enter() async throws {
        let id: UInt64? = try self.state.withLock { state in
            if state.running < self.width {
                state.running += 1
                return nil
            }
            guard state.waiting.count < self.capacity else { throw Refusal.overloaded }
            state.nextID += 1
            return state.nextID
        }
        guard let id else { return }
        let isLet = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = self.state.withLock { state in
                    if Task.isCancelled { return false }
                    // A place may have become free since.
                    if state.running < self.width {
                        state.running += 1
                        return true
                    }
                    state.waiting.append((id, continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).continuation }
            }
            waiter?.resume(returning: false)
        }
        guard isLet else { throw CancellationError() }
    }

    /// Hands the place to whoever has waited longest.
    private func leave() {
        let next = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if state.waiting.isEmpty {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
