import Keys
import Locks

/// The refused sign-ins that wait to be recorded as events.
///
/// Guessing must leave a trace, and must not fill the database. For each account the first refusal is recorded at once,
/// and later ones at most once a minute, with their number. An unknown address counts as an account, so that the time of
/// an answer does not tell which addresses are known.
///
/// Accounts can be made up, so their number is limited, for each client and for all. The refusals of further accounts are counted
/// together for the client, or for all clients, with events of the same kind. None is forgotten.
final class SignInRefusals: Sendable {
    /// The reason for which a sign-in was refused.
    enum Reason: String, Hashable {
        case wrongCredentials = "wrong_credentials"
        case tooManyAttempts = "too_many_attempts"
        /// The identity provider does not say that the address is verified.
        case unverifiedEmail = "email_not_verified"
        /// No member has the address that the identity provider tells.
        case unknownMember = "unknown_member"
        /// Another subject of the identity provider is bound to the member.
        case otherSubject = "other_subject"
        /// The identity provider vouched for nobody, or its answer was used before.
        case notCompleted = "not_completed"
    }

    /// The accounts that an event stands for.
    enum Scope: String {
        /// One account.
        case account
        /// Several accounts, all from one address.
        case address
        /// Several accounts, from several addresses.
        case all
    }

    /// An event that is to be recorded.
    struct Event: Equatable {
        let scope: Scope
        /// The number of refusals that the event stands for.
        let count: Int
    }

    /// The time between two events about one account.
    static let interval = Duration.seconds(60)
    /// The maximum number of accounts that have events of their own, and of clients that have.
    static let capacity = 10_000
    /// Returns the maximum number of accounts of one client that have events of their own for a reason.
    ///
    /// So many passwords of a client are compared before it must wait, so each compared one has an event of its account. Attempts of a client
    /// that must wait cost it nothing.
    static func perClient(_ reason: Reason) -> Int { reason == .tooManyAttempts ? 10 : GuessLimiter.perAddress.limit }

    private struct Account: Hashable {
        let text: String
        let reason: Reason
    }

    private struct Client: Hashable {
        let network: IPAddress?
        let reason: Reason
    }

    private struct Entry {
        /// The client whose refusal began the entry.
        let client: Client
        var recordedAt: Duration?
        /// The number of refusals that no event stands for.
        var waiting = 0

        func isOld(at now: Duration) -> Bool { recordedAt.map { now - $0 >= SignInRefusals.interval } ?? true }

        /// Counts a refusal, and returns the number that an event stands for now, if there is to be one.
        mutating func count(at now: Duration) -> Int? {
            waiting += 1
            return take(at: now)
        }

        mutating func take(at now: Duration) -> Int? {
            guard waiting > 0, isOld(at: now) else { return nil }
            recordedAt = now
            defer { waiting = 0 }
            return waiting
        }
    }

    private struct State {
        var accounts: [Account: Entry] = [:]
        /// The numbers of accounts whose entries each client began.
        var shares: [Client: Int] = [:]
        /// The clients with further accounts.
        var clients: [Client: Entry] = [:]
        /// The refusals that no other entry counts.
        var all: [Reason: Entry] = [:]
        var cleanedAt: Duration?

        mutating func count(_ account: Account, _ client: Client, at now: Duration) -> [Event] {
            var events: [(scope: Scope, count: Int?)] = []
            if accounts[account] == nil, !hasRoom(for: client) { dropOld(at: now) }
            if accounts[account] != nil {
                events.append((.account, accounts[account]?.count(at: now)))
            } else if hasRoom(for: client) {
                shares[client, default: 0] += 1
                events.append((.account, accounts[account, default: Entry(client: client)].count(at: now)))
            } else {
                events.append((.address, add(to: client, at: now)))
            }
            events.append((.all, all[client.reason]?.take(at: now)))
            return events.compactMap { event in event.count.map { Event(scope: event.scope, count: $0) } }
        }

        mutating func count(_ client: Client, at now: Duration) -> [Event] {
            if clients[client] == nil, clients.count >= SignInRefusals.capacity { dropOld(at: now) }
            let own = add(to: client, at: now).map { Event(scope: .address, count: $0) }
            let common = all[client.reason]?.take(at: now).map { Event(scope: .all, count: $0) }
            return [own, common].compactMap(\.self)
        }

        /// Counts a refusal for a client, or for all clients if there is no room.
        ///
        /// - Returns: The number that an event of the client stands for now, if there is to be one.
        private mutating func add(to client: Client, at now: Duration) -> Int? {
            guard clients[client] != nil || clients.count < SignInRefusals.capacity else {
                all[client.reason, default: Entry(client: client)].waiting += 1
                return nil
            }
            return clients[client, default: Entry(client: client)].count(at: now)
        }

        private func hasRoom(for client: Client) -> Bool {
            accounts.count < SignInRefusals.capacity
                && shares[client, default: 0] < SignInRefusals.perClient(client.reason)
        }

        /// Drops the entries whose last event is so old that the next refusal has one at once, and keeps what they have counted since.
        private mutating func dropOld(at now: Duration) {
            // The table is read as a whole, which must not be done for each request of an attacker.
            guard cleanedAt.map({ now - $0 >= .seconds(1) }) ?? true else { return }
            cleanedAt = now
            let old = accounts.values.filter { $0.isOld(at: now) } + clients.values.filter { $0.isOld(at: now) }
            for entry in old where entry.waiting > 0 {
                all[entry.client.reason, default: Entry(client: entry.client)].waiting += entry.waiting
            }
            accounts = accounts.filter { !$0.value.isOld(at: now) }
            clients = clients.filter { !$0.value.isOld(at: now) }
            shares = accounts.values.reduce(into: [:]) { $0[$1.client, default: 0] += 1 }
        }
    }

    private let state = Locked(State())
    private let elapsed: @Sendable () -> Duration

    init(elapsed: @escaping @Sendable () -> Duration) { self.elapsed = elapsed }

    /// Counts a refusal.
    ///
    /// - Parameters:
    ///   - account: The account, known or not.
    ///   - reason: The reason.
    ///   - address: The client's address. An IPv6 address counts by its /64. Clients whose address is unknown count as one.
    /// - Returns: The events that are to be recorded now.
    func count(_ account: String, _ reason: Reason, from address: IPAddress?) -> [Event] {
        let account = Account(text: account, reason: reason)
        let client = Client(network: address?.customerNetwork, reason: reason)
        let now = elapsed()
        return state.withLock { $0.count(account, client, at: now) }
    }

    /// Counts a refusal that is about no account, for its client.
    ///
    /// - Parameters:
    ///   - reason: The reason.
    ///   - address: The client's address, as in ``count(_:_:from:)``.
    /// - Returns: The events that are to be recorded now.
    func count(_ reason: Reason, from address: IPAddress?) -> [Event] {
        let client = Client(network: address?.customerNetwork, reason: reason)
        let now = elapsed()
        return state.withLock { $0.count(client, at: now) }
    }
}
