import FoundationEssentials
import Locks
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) final class FairPlacesTests: Sendable {
    private let order = Locked<[String]>([])
    /// Places such as those of changes under fences.
    private let places = FairPlaces(4, share: .allButAQuarter, patience: .ample)

    // The attack: a tenant sends eight requests for new workspaces at once, and PostgreSQL creates databases on all processors.
    @Test func `an owner works at one place, and another owner does not wait for it`() async throws {
        let (large, small) = (UUID(), UUID())
        let places = FairPlaces(2, patience: .ample)
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await places.withPlace(of: large) {
                for number in 1...3 {
                    group.addTask {
                        try await places.withPlace(of: large) { self.order.withLock { $0.append("large \(number)") } }
                    }
                    try await eventually("\(number) callers wait") { places.waitingCount == number }
                }
                try await places.withPlace(of: small) { self.order.withLock { $0.append("small") } }
                #expect(places.waitingCount == 3)
            }
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 } == ["small", "large 1", "large 2", "large 3"])
    }

    @Test func `a place that becomes free goes to an owner without one, although another has waited longer`()
        async throws
    {
        let (large, small) = (UUID(), UUID())
        let places = FairPlaces(1, patience: .ample)
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await places.withPlace(of: large) {
                for (number, (name, owner)) in [("large", large), ("small", small)].enumerated() {
                    group.addTask { try await places.withPlace(of: owner) { self.order.withLock { $0.append(name) } } }
                    try await eventually("\(name) waits") { places.waitingCount == number + 1 }
                }
            }
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 } == ["small", "large"])
    }

    @Test func `a failure frees the place`() async throws {
        struct Failure: Error {}
        let places = FairPlaces(1, patience: .ample)
        let owner = UUID()
        for _ in 0..<2 {
            await #expect(throws: Failure.self) { try await places.withPlace(of: owner) { throw Failure() } }
        }
    }

    @Test func `a place that does not become free in time is refused`() async throws {
        let places = FairPlaces(2, patience: .zero)
        let owner = UUID()
        try await places.withPlace(of: owner) {
            let error = await #expect(throws: TenancyError.self) { try await places.withPlace(of: owner) {} }
            #expect(error?.code == .capacityExceeded)
        }
    }

    // MARK: Larger shares

    /// Runs `body` while an organization has three places.
    private func occupying(of organization: UUID?, _ body: () async throws -> Void) async throws {
        try await places.withPlace(of: organization) {
            try await places.withPlace(of: organization) {
                try await places.withPlace(of: organization, body)
            }
        }
    }

    // The attack: all changes of one organization wait for a silent node, and nobody else can revoke a key meanwhile.
    @Test func `an organization leaves a place to others, and waits for a further one until its time is over`()
        async throws
    {
        let busy = UUID()
        try await occupying(of: busy) {
            let error = await #expect(throws: TenancyError.self) {
                try await PostgresDeadline.with(.zero) { try await places.withPlace(of: busy) {} }
            }
            #expect(error?.code == .capacityExceeded)
            try await places.withPlace(of: UUID()) {}
            try await places.withPlace(of: nil) {}
        }
    }

    // The fault: places that nobody uses still belong to those who used them last.
    @Test func `a place that was given back counts for nobody`() async throws {
        struct Refusal: Error {}
        for _ in 0..<2 {
            await #expect(throws: Refusal.self) { try await occupying(of: UUID()) { throw Refusal() } }
            try await occupying(of: nil) {}
        }
    }
}
