import ServiceLifecycle
import Synchronization

/// A flag that is set when the server is told to stop.
final class Draining: Sendable {
    private let flag = Atomic(false)

    var hasBegun: Bool { flag.load(ordering: .acquiring) }

    func begin() { flag.store(true, ordering: .releasing) }
}

/// The service that stops first: it makes the server unready, and then waits so that load balancers can notice.
struct DrainNotice: ServiceLifecycle.Service, CustomStringConvertible {
    let description = "readiness"
    let draining: Draining
    let delay: Duration
    let clock: any Clock<Duration>

    func run() async throws {
        try await gracefulShutdown()
        draining.begin()
        if delay > .zero { try await clock.sleep(for: delay) }
    }
}
