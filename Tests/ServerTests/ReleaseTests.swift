import Locks
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// A server that has ended leaves nothing behind in its process.
@Suite(.hangLimit) struct ReleaseTests {
    /// A reference that does not keep its object.
    private final class Weak: Sendable {
        private struct Reference {
            weak var object: Databases?
        }

        private let reference = Locked(Reference())

        func set(_ object: Databases) { reference.withLock { $0.object = object } }
        var isReleased: Bool { reference.withLock { $0.object == nil } }
    }

    @Test func `a server that has ended is released, with its databases`() async throws {
        let databases = Weak()
        try await withMortise { mortise in databases.set(mortise.server.platform.databases) }
        // Tasks that have ended release what they held a moment later.
        try await eventually("the databases are released") { databases.isReleased }
    }
}
