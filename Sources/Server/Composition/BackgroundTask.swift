import ServiceLifecycle

/// Work without an end of its own, which is cancelled when the server stops.
struct BackgroundTask: ServiceLifecycle.Service {
    private let work: @Sendable () async -> Void

    init(_ work: @escaping @Sendable () async -> Void) {
        self.work = work
    }

    func run() async {
        await cancelWhenGracefulShutdown { await work() }
    }
}
