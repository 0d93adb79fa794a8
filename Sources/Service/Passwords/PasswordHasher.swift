import Keys
import Locks
import NIOPosix

/// Hashes and compares passwords on threads of its own, a few at once.
///
/// Each hash takes memory and a processor on purpose, so an unlimited number of sign-ins would use up the machine. A
/// sign-in that does not fit into the queue is refused at once. So is one from a network that has its share of the
/// queue: otherwise one stranger could keep everybody from signing in.
final class PasswordHasher: Sendable {
    private enum Turn {
        case admitted, refused, cancelled
    }

    private struct State {
        var queue: PasswordQueue<CheckedContinuation<Turn, Never>>
        var nextID: UInt64 = 0
    }

    private let cost: PasswordCost
    private let randomness: Randomness
    private let state: Locked<State>
    private let threads: NIOThreadPool
    /// The hash that is compared for an unknown user, because the answer must take as long.
    private let decoy: PasswordHash

    /// Starts the threads, which run until `shutdown`.
    ///
    /// - Parameters:
    ///   - cost: The cost of a new hash.
    ///   - width: The number of threads.
    ///   - capacity: The maximum number of passwords that wait.
    ///   - perNetwork: The maximum number from one network, an IPv4 address or an IPv6 /64, that run or wait.
    ///   - randomness: The source of salt.
    init(cost: PasswordCost, width: Int = 2, capacity: Int = 32, perNetwork: Int = 8, randomness: Randomness) {
        self.cost = cost
        self.randomness = randomness
        let queue = PasswordQueue<CheckedContinuation<Turn, Never>>(
            width: width,
            capacity: capacity,
            perNetwork: perNetwork
        )
        state = Locked(State(queue: queue))
        threads = NIOThreadPool(numberOfThreads: width)
        threads.start()
        decoy = .decoy(cost)
    }

    /// Ends the threads after their present work.
    ///
    /// Nothing can be hashed after that.
    func shutdown() async { try? await threads.shutdownGracefully() }

    /// Hashes a new password.
    ///
    /// - Throws: `Refusal.overloaded`, `CancellationError`.
    func hash(_ password: String, from address: IPAddress?) async throws -> PasswordHash {
        let salt = PasswordHash.salt(randomness)
        return try await run(address) { [cost] in try PasswordHash(of: password, cost: cost, salt: salt) }
    }

    /// Returns true if a hash is that of a password.
    ///
    /// Without a hash it takes as long and returns false.
    ///
    /// - Throws: `Refusal.overloaded`, `CancellationError`.
    func matches(_ password: String, _ stored: String?, from address: IPAddress?) async throws -> Bool {
        let hash = stored.flatMap(PasswordHash.init)
        let compared = hash ?? decoy
        return try await run(address) { try compared.matches(password) } && hash != nil
    }

    /// Returns a new hash of a password whose hash has another cost; `nil` if the cost is the same or the queue is
    /// full.
    func renewed(_ password: String, _ stored: String, from address: IPAddress?) async -> PasswordHash? {
        guard let hash = PasswordHash(stored), hash.isOutdated(cost) else { return nil }
        // A user who knows the password signs in even if the queue is full. The next sign-in can renew the hash.
        return try? await self.hash(password, from: address)
    }

    private func run<T: Sendable>(
        _ address: IPAddress?,
        _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        let network = address?.customerNetwork
        try await enter(network)
        defer { state.withLock { $0.queue.leave(from: network) }?.resume(returning: .admitted) }
        return try await threads.runIfActive(work)
    }

    /// Waits for a slot.
    private func enter(_ network: IPAddress?) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let turn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn: Turn? = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    switch state.queue.enter(id, from: network, continuation) {
                    case .admitted: return .admitted
                    case .refused: return .refused
                    case .waiting: return nil
                    }
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            self.state.withLock { $0.queue.cancel(id) }?.resume(returning: .cancelled)
        }
        switch turn {
        case .admitted: return
        case .refused: throw Refusal.overloaded
        case .cancelled: throw CancellationError()
        }
    }
}
