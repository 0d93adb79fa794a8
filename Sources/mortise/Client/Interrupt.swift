import Dispatch
import Glibc

/// Ctrl-C during a request.
///
/// The default action would end the process without a message, and its user would not know whether a key exists.
enum Interrupt {
    /// Runs the work and cancels it at the first SIGINT.
    ///
    /// The second SIGINT ends the process.
    ///
    /// - Returns: The result of the work, which is also what a cancelled request knows about its own fate.
    static func cancelling<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task { await work() }
        let watch = Task {
            await next()
            task.cancel()
        }
        let value = await task.value
        watch.cancel()
        await watch.value
        return value
    }

    /// Returns at the next SIGINT, or when the task is cancelled.
    ///
    /// Afterwards SIGINT ends the process again.
    private static func next() async {
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { continuation.yield() }
        source.activate()
        for await _ in signals { break }
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
}
