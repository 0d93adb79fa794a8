import ServiceLifecycle
import Synchronization

/// Whether the server has been told to stop.
final class Draining: Sendable {
    private let flag = Atomic(false)

    var hasBegun: Bool { flag.load(ordering: .acquiring) }

    func begin() { flag.store(true, ordering: .releasing) }
}

/// The service that is stopped first: it makes the server unready, and leaves load balancers some time to see it.
struct DrainNotice: ServiceLifecycle.Service {
    let draining: Draining
    let delay: Duration
    let clock: any Clock<Duration>

    func run() async throws {
        try await gracefulShutdown()
        draining.begin()
        if delay > .zero { try await clock.sleep(for: delay) }
    }
}
