import FoundationEssentials
import Keys
import Locks
import Logging
import TestSupport
import Testing

@testable import People
@testable import Service

@Suite(.hangLimit) struct KeySetCacheTests {
    private static let issuer = SessionIssuer(
        id: UUID(),
        issuer: "https://issuer.example",
        organizationID: UUID(),
        keys: .url("https://issuer.example/keys"),
        algorithms: ["ES256"],
        authorizedParties: [],
        audiences: [],
        readRoles: [],
        manageRoles: [],
        createdAt: Timestamp(microsecondsSinceUnixEpoch: 0)
    )

    // The accident: a read that nobody owns any more goes on while the server has stopped, and uses what is closed.
    @Test func `the end of the cache ends the read for an issuer that was removed meanwhile`() async throws {
        let (silence, end) = AsyncStream<Void>.makeStream()
        defer { end.finish() }
        let steps = Locked<[String]>([])
        let cache = KeySetCache(
            exchange: { _ in
                steps.withLock { $0.append("began") }
                for await _ in silence {}
                steps.withLock { $0.append("ended") }
                throw CancellationError()
            },
            elapsed: { .zero },
            logger: Logger(label: "test")
        )
        let waiting = Task { try await cache.keys(of: Self.issuer, for: "k") }
        try await eventually("a read") { steps.withLock { $0 == ["began"] } }
        cache.remove(Self.issuer.id)
        await cache.shutdown()
        #expect(steps.withLock { $0 } == ["began", "ended"])
        await #expect(throws: Refusal.self) { _ = try await waiting.value }
        // No new read begins.
        await #expect(throws: Refusal.self) { _ = try await cache.keys(of: Self.issuer, for: "k") }
        #expect(steps.withLock { $0 } == ["began", "ended"])
    }
}
