import Keys
import Locks
import Testing

@testable import Service

/// Tables of refused sign-ins and of guesses while somebody fills them.
@Suite struct GuessTraceTests {
    private typealias Event = SignInRefusals.Event

    private let stranger = IPAddress.v4(0xC000_0207)
    private let other = IPAddress.v4(0xC000_0208)

    // The attack: one client is refused for thousands of accounts that are made up, so that the guesses at a real one leave no event.
    @Test func `made-up accounts of one address hide no refusal of another one`() {
        let refusals = SignInRefusals(elapsed: { .zero })
        var events: [Event] = []
        for number in 0..<(2 * SignInRefusals.capacity) {
            events += refusals.count("user\(number)@example.org", .wrongCredentials, from: stranger)
        }
        let own = Array(repeating: Event(scope: .account, count: 1), count: SignInRefusals.perClient(.wrongCredentials))
        #expect(events == own + [Event(scope: .address, count: 1)])
        let real = refusals.count("ada@example.org", .wrongCredentials, from: other)
        #expect(real == [Event(scope: .account, count: 1)])
    }

    // The attack: the accounts are made up from thousands of addresses.
    @Test func `a refusal that finds the table of accounts full leaves an event of its address`() {
        let time = Locked(Duration.zero)
        let refusals = SignInRefusals(elapsed: { time.withLock { $0 } })
        for number in 0..<SignInRefusals.capacity {
            _ = refusals.count("user\(number)@example.org", .wrongCredentials, from: .v4(UInt32(number)))
        }
        let first = refusals.count("ada@example.org", .wrongCredentials, from: stranger)
        #expect(first == [Event(scope: .address, count: 1)])
        let second = refusals.count("ada@example.org", .wrongCredentials, from: stranger)
        #expect(second.isEmpty)
        time.withLock { $0 = .seconds(61) }
        let later = refusals.count("ada@example.org", .wrongCredentials, from: stranger)
        #expect(later == [Event(scope: .account, count: 1), Event(scope: .all, count: 1)])
    }

    // The attack: guess, wait for a minute, and fill the table, so that the number of the guesses is forgotten.
    @Test func `refusals that no event stands for yet are not forgotten when the table is filled`() {
        let time = Locked(Duration.zero)
        let refusals = SignInRefusals(elapsed: { time.withLock { $0 } })
        for _ in 0..<5 { _ = refusals.count("ada@example.org", .wrongCredentials, from: stranger) }
        time.withLock { $0 = .seconds(61) }
        var events: [Event] = []
        for number in 0..<SignInRefusals.capacity {
            events += refusals.count("user\(number)@example.org", .wrongCredentials, from: .v4(UInt32(number)))
        }
        #expect(events.filter { $0.scope != .account } == [Event(scope: .all, count: 4)])
    }

    // The attack: somebody with many addresses fills the table of guesses, so that all counts are dropped, and then guesses on.
    @Test func `a full table of guesses keeps the counts of those who guessed most`() async {
        let limiter = GuessLimiter(capacity: 64, elapsed: { .zero }, exchange: { throw CancellationError() })
        func isRefused(_ account: String, from address: IPAddress) async -> Bool {
            do {
                _ = try await limiter.counting(account: account, from: address) { () async throws -> Bool? in nil }
                return false
            } catch {
                return true
            }
        }
        for _ in 0..<GuessLimiter.perPair.limit {
            let isEarly = await isRefused("ada@example.org", from: stranger)
            #expect(!isEarly)
        }
        for number in 0..<200 { _ = await isRefused("user\(number)@example.org", from: .v4(UInt32(number))) }
        let isStillRefused = await isRefused("ada@example.org", from: stranger)
        #expect(isStillRefused)
    }
}
