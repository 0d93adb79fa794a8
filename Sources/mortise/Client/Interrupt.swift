import Dispatch
import Glibc

/// Ctrl-C while a call is under way.
///
/// The default action would end the process without a word, and leave its user guessing whether a key was made.
enum Interrupt {
    /// Returns at the next SIGINT, or when the task is cancelled; afterwards SIGINT ends the process again.
    static func wait() async {
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
