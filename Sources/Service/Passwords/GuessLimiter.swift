import Crypto
import FoundationEssentials
import Keys
import Locks
import Tenancy

/// Limits the rate at which passwords can be guessed.
///
/// Wrong passwords are counted for each pair of account and address, and for each address over all accounts. An IPv6
/// address counts by its /64, which is what one customer has. Clients whose address is unknown are counted for each account and not
/// together, because one of them would use up the attempts of all. Nothing is counted for an account alone: a stranger's
/// failures would lock out the owner of the account. A refused sign-in with the identity provider counts for its address, and so does
/// a report of GitHub with a bad signature. All nodes count together, over the database of the primary cluster. A node that cannot ask it
/// counts alone, and an attacker gains nothing: passwords are in a database of the same server.
final class GuessLimiter: Sendable {
    /// The limit of wrong passwords for one account from one address.
    static let perPair = AttemptLimit(limit: 10, period: .seconds(900))
    /// The limit of wrong passwords from one address.
    static let perAddress = AttemptLimit(limit: 100, period: .seconds(900))

    private struct Key: Hashable {
        let network: IPAddress?
        let account: String?

        /// The id under which all nodes count.
        ///
        /// The cluster database receives neither the account nor the address.
        var id: UUID {
            let text = "password\n\(network.map(\.description) ?? "")\n\(account ?? "")"
            return SHA256.hash(data: Data(text.utf8)).withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
        }
    }

    private struct State {
        var arrivals: [Key: Int64] = [:]
        var checkedAt: Int64 = 0
    }

    private let pair: GCRA?
    private let address: GCRA?
    private let state = Locked(State())
    private let capacity: Int
    private let elapsed: @Sendable () -> Duration
    private let exchange: @Sendable () throws -> LimitExchange
    private var nanoseconds: Int64 { Int64(elapsed() / .nanoseconds(1)) }

    /// Creates a limiter.
    ///
    /// - Parameters:
    ///   - capacity: The maximum number of remembered pairs and addresses. Defaults to 65,536.
    ///   - elapsed: The time since some moment.
    ///   - exchange: Returns the exchange with the other nodes.
    init(
        capacity: Int = 65_536,
        elapsed: @escaping @Sendable () -> Duration,
        exchange: @escaping @Sendable () throws -> LimitExchange
    ) {
        self.capacity = capacity
        self.elapsed = elapsed
        self.exchange = exchange
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
    /// - Throws: `Refusal.tooManyAttempts`, and the errors of `compare`.
    func counting<T>(
        account: String,
        from address: IPAddress?,
        _ compare: () async throws -> T?
    ) async throws -> T? {
        let keys = Self.keys(account, address)
        try take(keys)
        do {
            try await share(keys)
            let right = try await compare()
            if right != nil { await refund(keys, forgiving: true) }
            return right
        } catch {
            await refund(keys, forgiving: false)
            throw error
        }
    }

    private func take(_ keys: [Key]) throws(Refusal) {
        let now = nanoseconds
        let refusal: Refusal? = state.withLock { state in
            makeRoom(&state, now)
            var decisions: [(Key, GCRA.Decision)] = []
            for (key, limit) in zip(keys, [pair, self.address]) {
                guard let limit else { continue }
                let decision = limit.decide(arrival: state.arrivals[key] ?? 0, now: now)
                guard decision.isAllowed else {
                    return Self.refusal(decision.retryAfter, AttemptLimit(limit: limit.limit, period: limit.period))
                }
                decisions.append((key, decision))
            }
            for (key, decision) in decisions { state.arrivals[key] = decision.newArrival }
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Tells the other nodes of a guess, and throws if all nodes together have counted too many.
    private func share(_ keys: [Key]) async throws {
        let costs = [Self.perPair, Self.perAddress].map { Self.cost($0) }
        guard let backlogs = await report(Dictionary(uniqueKeysWithValues: zip(keys, costs))) else { return }
        let now = nanoseconds
        var longest: (retry: Duration, limit: AttemptLimit)?
        state.withLock { state in
            for (key, limit) in zip(keys, [Self.perPair, Self.perAddress]) {
                guard let backlog = backlogs[key] else { continue }
                state.arrivals[key] = now + backlog
                let retry = Duration.nanoseconds(backlog - Self.cost(limit) * Int64(limit.limit))
                if retry > longest?.retry ?? .zero { longest = (retry, limit) }
            }
        }
        if let longest { throw Self.refusal(longest.retry, longest.limit) }
    }

    /// Refunds a guess, or, for a caller who knows the password, all guesses of the pair.
    private func refund(_ keys: [Key], forgiving: Bool) async {
        let now = nanoseconds
        let refunds = state.withLock { state in
            var refunds: [Key: Int64] = [:]
            for (key, limit) in zip(keys, [Self.perPair, Self.perAddress]) {
                guard let arrival = state.arrivals[key] else { continue }
                let backlog = arrival - now
                let refund = forgiving && key.account != nil ? backlog : min(backlog, Self.cost(limit))
                state.arrivals[key] = backlog > refund ? arrival - refund : nil
                refunds[key] = -refund
            }
            return refunds
        }
        _ = await report(refunds)
    }

    /// Adds to the backlogs of all nodes.
    ///
    /// - Returns: The backlogs, or `nil` if this node is alone or the reports of the others cannot be read.
    private func report(_ added: [Key: Int64]) async -> [Key: Int64]? {
        guard let exchange = try? self.exchange(), exchange.nodes > 1 else { return nil }
        let now = nanoseconds
        let reports = state.withLock { state in
            added.map { key, added in
                let known = max(0, (state.arrivals[key] ?? 0) - now - added)
                let report = RateLimits.Report(
                    added: RateLimits.Backlog(minute: added, hour: 0),
                    known: RateLimits.Backlog(minute: known, hour: 0)
                )
                return (key.id, report)
            }
        }
        guard let answer = try? await exchange.exchange(Dictionary(uniqueKeysWithValues: reports)) else { return nil }
        var backlogs: [Key: Int64] = [:]
        var corrections: [UUID: RateLimits.Report] = [:]
        for key in added.keys {
            guard let limit = key.account == nil ? address : pair, var backlog = answer[key.id]?.minute else {
                continue
            }
            // The clock of the server can have been set back: see `RateLimits.correct`.
            let difference = limit.correct(&backlog, nodes: exchange.nodes)
            backlogs[key] = backlog
            guard difference != 0 else { continue }
            corrections[key.id] = RateLimits.Report(
                added: RateLimits.Backlog(minute: difference, hour: 0),
                known: RateLimits.Backlog(minute: 0, hour: 0)
            )
        }
        if !corrections.isEmpty { _ = try? await exchange.exchange(corrections) }
        return backlogs
    }

    /// The nanoseconds that one guess costs.
    private static func cost(_ limit: AttemptLimit) -> Int64 {
        Int64(limit.period / limit.limit / Duration.nanoseconds(1))
    }

    private static func refusal(_ retry: Duration, _ limit: AttemptLimit) -> Refusal {
        .tooManyAttempts(retryAfter: Int(retry.components.seconds) + 1, limit)
    }

    private static func keys(_ account: String, _ address: IPAddress?) -> [Key] {
        guard let network = address?.customerNetwork else { return [Key(network: nil, account: account)] }
        return [Key(network: network, account: account), Key(network: network, account: nil)]
    }

    /// Drops the counts that have been refilled, and if that is not enough the half of the rest that will be refilled first.
    ///
    /// Whoever has many addresses can fill the table with single guesses. They are refilled before the counts of those who guessed more.
    private func makeRoom(_ state: inout State, _ now: Int64) {
        let isFull = state.arrivals.count + 2 > capacity
        guard isFull || now - state.checkedAt > 60_000_000_000 else { return }
        state.checkedAt = now
        state.arrivals = state.arrivals.filter { $0.value > now }
        guard state.arrivals.count + 2 > capacity else { return }
        let last = state.arrivals.sorted { $0.value > $1.value }.prefix(capacity / 2)
        state.arrivals = Dictionary(uniqueKeysWithValues: last.map { ($0.key, $0.value) })
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
