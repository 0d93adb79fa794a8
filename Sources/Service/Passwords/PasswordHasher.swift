import Keys
import NIOPosix
import Synchronization

/// Hashes and checks passwords on threads of its own, a few at once.
///
/// Each takes memory and a processor on purpose, so an unbounded number of sign-ins would take the whole machine with them. Those that do
/// not fit in the line are refused, which costs nothing; and so are those of a network that has its share of it already, or one stranger
/// could keep everybody from signing in.
final class PasswordHasher: Sendable {
    private enum Turn {
        case come, refused, cancelled
    }

    private struct State {
        var line: PasswordLine<CheckedContinuation<Turn, Never>>
        var nextID: UInt64 = 0
    }

    private let cost: PasswordCost
    private let randomness: Randomness
    private let state: Mutex<State>
    private let threads: NIOThreadPool
    /// A hash of nothing in particular, to be compared with where there is no user: the answer must take as long.
    private let decoy: PasswordHash

    /// Prepares to hash, until `shutdown`.
    ///
    /// - Parameters:
    ///   - cost: what a new hash costs.
    ///   - width: how many at once, and how many threads.
    ///   - capacity: how many may wait.
    ///   - perNetwork: how many of those that hash or wait may come from one network: an IPv4 address, or an IPv6 /64.
    ///   - randomness: where salt comes from.
    init(cost: PasswordCost, width: Int = 2, capacity: Int = 32, perNetwork: Int = 8, randomness: Randomness) {
        self.cost = cost
        self.randomness = randomness
        let line = PasswordLine<CheckedContinuation<Turn, Never>>(
            width: width,
            capacity: capacity,
            perNetwork: perNetwork
        )
        state = Mutex(State(line: line))
        threads = NIOThreadPool(numberOfThreads: width)
        threads.start()
        decoy = .decoy(cost)
    }

    /// Ends the threads, when what they are at is done; nothing can be hashed any more.
    func shutdown() async { try? await threads.shutdownGracefully() }

    /// Hashes a new password.
    ///
    /// - Throws: `Refusal.overloaded`, `CancellationError`.
    func hash(_ password: String, from address: IPAddress?) async throws -> PasswordHash {
        let salt = PasswordHash.salt(randomness)
        return try await run(address) { [cost] in try PasswordHash(of: password, cost: cost, salt: salt) }
    }

    /// Whether a password is the one of a hash; without a hash it takes as long and is not.
    ///
    /// - Throws: `Refusal.overloaded`, `CancellationError`.
    func matches(_ password: String, _ stored: String?, from address: IPAddress?) async throws -> Bool {
        let hash = stored.flatMap(PasswordHash.init)
        let compared = hash ?? decoy
        return try await run(address) { try compared.matches(password) } && hash != nil
    }

    /// A new hash of a password whose hash was made at another cost than today's; `nil` where it need not, or cannot, be made now.
    func renewed(_ password: String, _ stored: String, from address: IPAddress?) async -> PasswordHash? {
        guard let hash = PasswordHash(stored), hash.isOutdated(cost) else { return nil }
        // Who has shown to know the password is let in, however long the line is: there will be another time.
        return try? await self.hash(password, from: address)
    }

    private func run<T: Sendable>(
        _ address: IPAddress?,
        _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        let network = address?.ofCustomer
        try await enter(network)
        defer { state.withLock { $0.line.leave(from: network) }?.resume(returning: .come) }
        return try await threads.runIfActive(work)
    }

    /// Waits for a place.
    private func enter(_ network: IPAddress?) async throws {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let turn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn: Turn? = self.state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    switch state.line.enter(id, from: network, continuation) {
                    case .admitted: return .come
                    case .refused: return .refused
                    case .waiting: return nil
                    }
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            self.state.withLock { $0.line.cancel(id) }?.resume(returning: .cancelled)
        }
        switch turn {
        case .come: return
        case .refused: throw Refusal.overloaded
        case .cancelled: throw CancellationError()
        }
    }
}
