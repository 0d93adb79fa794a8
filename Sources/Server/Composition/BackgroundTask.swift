import ServiceLifecycle

/// Endless work, which is cancelled when the server stops.
struct BackgroundTask: ServiceLifecycle.Service {
    private let work: @Sendable () async -> Void

    init(_ work: @escaping @Sendable () async -> Void) {
        self.work = work
    }

    func run() async {
        await cancelWhenGracefulShutdown { await work() }
    }
}
