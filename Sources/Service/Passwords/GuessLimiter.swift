import Keys
import Synchronization

/// Bounds how often a password can be guessed.
///
/// Failures are counted for each pair of account and address, and for each address over all accounts; an IPv6 address counts by its /64,
/// which is what one customer has. Nothing is counted for an account alone: a stranger who fails for somebody else's account would lock its
/// owner out. What is counted is lost with the process and is each node's own.
final class GuessLimiter: Sendable {
    /// Wrong passwords for one account from one address.
    static let perPair = (limit: 10, period: Duration.seconds(900))
    /// Wrong passwords from one address.
    static let perAddress = (limit: 100, period: Duration.seconds(900))
    /// How many pairs and addresses are remembered.
    static let capacity = 65_536

    private struct Key: Hashable {
        let network: IPAddress?
        let account: String?
    }

    private struct State {
        var arrivals: [Key: Int64] = [:]
        var checkedAt: Int64 = 0
    }

    private let pair: GCRA?
    private let address: GCRA?
    private let state = Mutex(State())
    private let elapsed: @Sendable () -> Duration
    private var nanoseconds: Int64 { Int64(self.elapsed() / .nanoseconds(1)) }

    init(elapsed: @escaping @Sendable () -> Duration) {
        self.elapsed = elapsed
        self.pair = GCRA(limit: Self.perPair.limit, period: Self.perPair.period)
        self.address = GCRA(limit: Self.perAddress.limit, period: Self.perAddress.period)
    }

    /// Takes one guess; `forgive` gives it back when it was right.
    ///
    /// Taken beforehand, so that many guesses at once do not all pass before the first has failed.
    ///
    /// - Throws: `Refusal.tooManyAttempts`.
    func take(account: String, from address: IPAddress?) throws(Refusal) {
        let keys = Self.keys(account, address)
        let now = self.nanoseconds
        let retry: Duration? = self.state.withLock { state in
            self.makeRoom(&state, now)
            var decisions: [(Key, GCRA.Decision)] = []
            for (key, limit) in zip(keys, [self.pair, self.address]) {
                guard let limit else { continue }
                let decision = limit.decide(arrival: state.arrivals[key] ?? 0, now: now)
                guard decision.isAllowed else { return decision.retryAfter }
                decisions.append((key, decision))
            }
            for (key, decision) in decisions { state.arrivals[key] = decision.newArrival }
            return nil
        }
        guard let retry else { return }
        throw .tooManyAttempts(retryAfter: Int(retry.components.seconds) + 1)
    }

    /// Forgets the failures of a pair whose owner has shown to know the password, and gives the address this guess back.
    func forgive(account: String, from address: IPAddress?) {
        let keys = Self.keys(account, address)
        let now = self.nanoseconds
        let cost = (Self.perAddress.period / Self.perAddress.limit) / Duration.nanoseconds(1)
        self.state.withLock { state in
            state.arrivals[keys[0]] = nil
            guard let arrival = state.arrivals[keys[1]] else { return }
            let rest = arrival - Int64(cost)
            state.arrivals[keys[1]] = rest > now ? rest : nil
        }
    }

    private static func keys(_ account: String, _ address: IPAddress?) -> [Key] {
        let network: IPAddress? =
            switch address {
            case .v6: address?.network(prefixLength: 64)
            default: address
            }
        return [Key(network: network, account: account), Key(network: network, account: nil)]
    }

    /// Forgets what has been refilled; and if that is not enough, everything of single accounts: addresses stay counted.
    private func makeRoom(_ state: inout State, _ now: Int64) {
        let isFull = state.arrivals.count + 2 > Self.capacity
        guard isFull || now - state.checkedAt > 60_000_000_000 else { return }
        state.checkedAt = now
        state.arrivals = state.arrivals.filter { $0.value > now }
        guard state.arrivals.count + 2 > Self.capacity else { return }
        state.arrivals = state.arrivals.filter { $0.key.account == nil }
        guard state.arrivals.count + 2 > Self.capacity else { return }
        state.arrivals = [:]
    }
}
