import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Tenancy

/// The places of changes under fences.
@Suite(.hangLimit) struct FencePlacesTests {
    private let places = FencePlaces(4, patience: .ample)

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
