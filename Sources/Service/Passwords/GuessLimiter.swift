import Keys
import Locks

/// Limits the rate at which passwords can be guessed.
///
/// Wrong passwords are counted for each pair of account and address, and for each address over all accounts. An IPv6
/// address counts by its /64, which is what one customer has. Clients whose address is unknown are counted for each account and not
/// together, because one of them would use up the attempts of all. Nothing is counted for an account alone: a stranger's
/// failures would lock out the owner of the account. The counts belong to one node and are lost with the
/// process.
final class GuessLimiter: Sendable {
    /// The limit of wrong passwords for one account from one address.
    static let perPair = (limit: 10, period: Duration.seconds(900))
    /// The limit of wrong passwords from one address.
    static let perAddress = (limit: 100, period: Duration.seconds(900))
    /// The maximum number of remembered pairs and addresses.
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
    private let state = Locked(State())
    private let elapsed: @Sendable () -> Duration
    private var nanoseconds: Int64 { Int64(elapsed() / .nanoseconds(1)) }

    init(elapsed: @escaping @Sendable () -> Duration) {
        self.elapsed = elapsed
        pair = GCRA(limit: Self.perPair.limit, period: Self.perPair.period)
        address = GCRA(limit: Self.perAddress.limit, period: Self.perAddress.period)
    }

    /// Compares a password as one guess.
    ///
    /// A right password does not count, and neither does one that could not be compared: an outage is not the user's
    /// fault. The guess is counted first, so concurrent guesses cannot all pass before one has failed.
    ///
    /// - Parameters:
    ///   - account: The account.
    ///   - address: The client's address.
    ///   - compare: Compares the password; `nil` for a wrong one.
    /// - Returns: The value that `compare` returned.
    /// - Throws: `Refusal.tooManyAttempts`, and what `compare` throws.
    func counting<T>(
        account: String,
        from address: IPAddress?,
        _ compare: () async throws -> T?
    ) async throws -> T? {
        try take(account: account, from: address)
        do {
            let right = try await compare()
            if right != nil { refund(account: account, from: address, forgiving: true) }
            return right
        } catch {
            refund(account: account, from: address, forgiving: false)
            throw error
        }
    }

    private func take(account: String, from address: IPAddress?) throws(Refusal) {
        let keys = Self.keys(account, address)
        let now = nanoseconds
        let retry: Duration? = self.state.withLock { state in
            makeRoom(&state, now)
            var decisions: [(Key, GCRA.Decision)] = []
            for (key, limit) in zip(keys, [pair, self.address]) {
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

    /// Refunds a guess, or, for a caller who knows the password, all guesses of the pair.
    private func refund(account: String, from address: IPAddress?, forgiving: Bool) {
        let keys = Self.keys(account, address)
        let now = nanoseconds
        self.state.withLock { state in
            for (key, limit) in zip(keys, [Self.perPair, Self.perAddress]) {
                guard let arrival = state.arrivals[key] else { continue }
                let rest = arrival - Int64(limit.period / limit.limit / Duration.nanoseconds(1))
                state.arrivals[key] = rest > now && !(forgiving && key.account != nil) ? rest : nil
            }
        }
    }

    private static func keys(_ account: String, _ address: IPAddress?) -> [Key] {
        guard let network = address?.customerNetwork else { return [Key(network: nil, account: account)] }
        return [Key(network: network, account: account), Key(network: network, account: nil)]
    }

    /// Drops the counts that have been refilled, if that is not enough those of single accounts, and at last all.
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

extension IPAddress {
    /// The address as limits count it: an IPv6 address by its /64, which is what one customer has.
    var customerNetwork: IPAddress {
        switch self {
        case .v4: self
        case .v6: network(prefixLength: 64)
        }
    }
}
