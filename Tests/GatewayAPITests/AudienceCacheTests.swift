import FoundationEssentials
import GatewayAPI
import Locks
import NIOCore
import TestSupport
import Testing
import Verification

/// The memory of the organizations that the configurations of gateways name.
@Suite(.hangLimit) struct AudienceCacheTests {
    private static let name = AudienceName.organizationSlug("acme")
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    /// The organization that has the name, and the number of reads.
    private final class Database: Sendable {
        private let state = Locked((owner: Optional(UUID()), reads: 0, isDown: false))

        struct Down: Error {}

        var reads: Int { state.withLock(\.reads) }
        var owner: Audience? { state.withLock(\.owner).map { .organization($0) } }

        func set(_ owner: UUID?) { state.withLock { $0.owner = owner } }
        func goDown() { state.withLock { $0.isDown = true } }

        func read() throws -> Audience? {
            let (owner, isDown) = state.withLock { state in
                state.reads += 1
                return (state.owner, state.isDown)
            }
            if isDown { throw Down() }
            return owner.map { .organization($0) }
        }
    }

    private func at(_ milliseconds: Int64) -> NIODeadline { Self.start + .milliseconds(milliseconds) }

    // The fault: every five seconds, all requests of that moment read the name together, and their clients wait.
    @Test func `one request in the second half of its time has a name read again, and none waits for it`() async throws
    {
        let database = Database()
        let cache = AudienceCache { _ in try database.read() }
        #expect(cache.known(Self.name, at: at(0)) == nil)
        let first = try await cache.audience(Self.name, at: at(0))
        #expect(first == database.owner && database.reads == 1)
        for time in [0, 1000, 2499] as [Int64] { #expect(cache.known(Self.name, at: at(time)) == first) }
        #expect(database.reads == 1)
        let second = UUID()
        database.set(second)
        for _ in 0..<100 { #expect(cache.known(Self.name, at: at(3000)) != nil) }
        try await eventually("the new owner is known") { cache.known(Self.name, at: at(3000)) == .organization(second) }
        // The time counts anew from the renewal.
        #expect(cache.known(Self.name, at: at(5400)) == .organization(second))
        #expect(database.reads == 2)
    }

    @Test func `a name counts for five seconds after a read, whatever becomes of its renewal`() async throws {
        let database = Database()
        let cache = AudienceCache { _ in try database.read() }
        let first = try await cache.audience(Self.name, at: at(0))
        database.goDown()
        #expect(cache.known(Self.name, at: at(4000)) == first)
        try await eventually("the name is read again") { database.reads == 2 }
        #expect(cache.known(Self.name, at: at(4999)) == first)
        #expect(cache.known(Self.name, at: at(5000)) == nil)
        await #expect(throws: Database.Down.self) { _ = try await cache.audience(Self.name, at: at(5000)) }
    }

    @Test func `a name that nobody has any more is forgotten at its renewal`() async throws {
        let database = Database()
        let cache = AudienceCache { _ in try database.read() }
        _ = try await cache.audience(Self.name, at: at(0))
        database.set(nil)
        _ = cache.known(Self.name, at: at(3000))
        try await eventually("the name is forgotten") { cache.known(Self.name, at: at(3000)) == nil }
        #expect(try await cache.audience(Self.name, at: at(3000)) == nil)
    }
}
