import FoundationEssentials
import Locks
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) final class PaceTests: Sendable {
    private static let cost = Duration.milliseconds(500)

    private let now = Locked(Duration.zero)
    private let pauses = Locked<[Duration]>([])

    /// A pace whose waits take no time of the test.
    private func pace(_ sleep: (@Sendable (Duration) async throws -> Void)? = nil) -> Pace {
        let elapsed: @Sendable () -> Duration = { [self] in now.withLock { $0 } }
        return Pace(allowance: .milliseconds(250), patience: .seconds(2), elapsed: elapsed) { [self] pause in
            try await sleep?(pause)
            pauses.withLock { $0.append(pause) }
        }
    }

    // The attack: a tenant reads one list of 8 MB after the other, and a stranger's verifications wait for the processors that it takes.
    @Test func `work of an owner waits for the cost of its earlier work, and that of others does not`() async throws {
        let pace = pace()
        let (large, small) = (UUID(), UUID())
        for _ in 0..<4 { try await pace.wait(for: large, cost: Self.cost) }
        try await pace.wait(for: small, cost: Self.cost)
        try await pace.wait(for: nil, cost: Self.cost)
        #expect(pauses.withLock { $0 } == [.milliseconds(250), .milliseconds(750), .milliseconds(1250)])

        now.withLock { $0 += .seconds(2) }
        try await pace.wait(for: large, cost: Self.cost)
        #expect(pauses.withLock { $0.count } == 3)
        #expect(pace.count == 1, "owners whose costs have elapsed are forgotten")
    }

    // The attack: lists from many workspaces at once, each of which waits with its rows in memory.
    @Test func `work that would wait too long is refused, and costs nothing`() async throws {
        let pace = pace()
        let owner = UUID()
        for _ in 0..<5 { try await pace.wait(for: owner, cost: Self.cost) }
        for _ in 0..<2 {
            let error = await #expect(throws: TenancyError.self) { try await pace.wait(for: owner, cost: Self.cost) }
            #expect(error?.code == .capacityExceeded)
        }
        now.withLock { $0 += .milliseconds(250) }
        try await pace.wait(for: owner, cost: Self.cost)
        #expect(pauses.withLock { $0.last } == .seconds(2))
    }

    @Test func `work whose task is cancelled while it waits costs nothing`() async throws {
        let pace = pace { _ in throw CancellationError() }
        let owner = UUID()
        try await pace.wait(for: owner, cost: Self.cost)
        for _ in 0..<10 {
            await #expect(throws: CancellationError.self) { try await pace.wait(for: owner, cost: Self.cost) }
        }
        #expect(pace.due(of: owner) == Self.cost)
    }
}
