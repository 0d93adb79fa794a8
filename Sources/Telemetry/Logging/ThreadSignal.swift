#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A signal that wakes one waiting thread, and that is kept if no thread waits.
final class ThreadSignal: Sendable {
    /// The reading and the writing end of a pipe, which is never full for long: one byte is enough.
    private let ends: (read: CInt, write: CInt)

    init() {
        var pair: [CInt] = [-1, -1]
        // Without descriptors, the thread wakes up by its time limit alone.
        if pipe(&pair) == 0 {
            for end in pair {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
        }
        ends = (pair[0], pair[1])
    }

    deinit {
        if ends.read >= 0 {
            close(ends.read)
            close(ends.write)
        }
    }

    /// Wakes the waiting thread.
    ///
    /// A full pipe wakes it too.
    func signal() {
        var byte: UInt8 = 0
        if ends.write >= 0 { _ = systemWrite(ends.write, &byte, 1) }
    }

    /// Waits for a signal, or for a time.
    func wait(milliseconds: CInt) {
        var ready = pollfd(fd: ends.read, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, milliseconds) > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 256)
        while read(ends.read, &buffer, buffer.count) > 0 {}
    }
}

/// Starts a thread that may block.
///
/// - Returns: False if the system refuses a thread.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(ThreadBody(body))
    #if canImport(Darwin)
    var thread: pthread_t?
    #else
    var thread = pthread_t()
    #endif
    let result = pthread_create(
        &thread,
        nil,
        { argument in
            #if canImport(Darwin)
            let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
            #else
            guard let argument else { return nil }
            let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
            #endif
            body.run()
            return nil
        },
        box.toOpaque()
    )
    guard result == 0 else {
        box.release()
        return false
    }
    #if canImport(Darwin)
    if let thread { pthread_detach(thread) }
    #else
    pthread_detach(thread)
    #endif
    return true
}

/// Keeps SIGPIPE from the calling thread, whose writes then fail with `EPIPE`.
func blockBrokenPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
