import ServiceLifecycle

/// Endless work, which is cancelled when the server stops.
struct BackgroundTask: ServiceLifecycle.Service, CustomStringConvertible {
    /// The name in the log.
    ///
    /// Without it, the service group would print all that the task can reach.
    let description: String
    private let work: @Sendable () async -> Void

    init(_ name: String, _ work: @escaping @Sendable () async -> Void) {
        description = name
        self.work = work
    }

    func run() async {
        await cancelWhenGracefulShutdown { await work() }
    }
}
