import Locks

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Writes lines to a file descriptor on a thread of its own.
///
/// The writers of lines never wait: a line goes into a queue, and is lost if the queue is full, as it is when nobody reads a pipe. The
/// number of lost lines is counted, and is written as a line once there is room again.
package final class LogQueue: LogSink {
    /// The default for the maximum number of bytes that wait to be written: 4 MiB.
    package static let defaultCapacity = 4 << 20

    private struct State {
        var lines: [[UInt8]] = []
        /// The bytes of the lines that wait, and of those that are being written.
        var bytes = 0
        /// The bytes of the lines that are being written.
        var bytesInWriting = 0
        var lost = 0
        var isWriting = false
        var hasEnded = false
    }

    private let descriptor: CInt
    private let capacity: Int
    private let state = Locked(State())
    private let signal = ThreadSignal()
    private let observer = Locked<any LogQueueObserver>(SilentObserver())
    /// False if the system refused the thread.
    ///
    /// Writers then wait for the descriptor themselves.
    private let hasThread = Locked(true)

    /// Creates a queue and starts its thread, which ends with ``end(within:)``.
    ///
    /// - Parameters:
    ///   - descriptor: The file descriptor. The caller keeps its ownership.
    ///   - capacity: The maximum number of bytes that wait to be written.
    package init(_ descriptor: CInt, capacity: Int = defaultCapacity) {
        self.descriptor = descriptor
        self.capacity = capacity
        if !startThread({ [self] in run() }) { hasThread.withLock { $0 = false } }
    }

    /// Adds the line to the queue.
    package func write(_ line: [UInt8]) {
        let outcome: (isLost: Bool, wasIdle: Bool) = state.withLock { state in
            guard !state.hasEnded, state.bytes + line.count <= capacity else {
                state.lost += 1
                return (true, false)
            }
            let wasIdle = state.lines.isEmpty && !state.isWriting
            state.lines.append(line)
            state.bytes += line.count
            return (false, wasIdle)
        }
        if outcome.isLost { observed.linesWereLost(1) }
        guard outcome.wasIdle else { return }
        if hasThread.withLock({ $0 }) { signal.signal() } else { writeQueue() }
    }

    /// Sets the observer, which is silent by default.
    package func setObserver(_ new: any LogQueueObserver) { observer.withLock { $0 = new } }

    private var observed: any LogQueueObserver { observer.withLock { $0 } }

    /// Waits until the lines so far are written, at most for a time, and ends the thread.
    ///
    /// A pipe that nobody reads keeps the thread until the process ends. Later lines are lost. A cancelled task does not wait.
    package func end(within limit: Duration) async {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        observed.secondPassed()
        while clock.now < deadline, !Task.isCancelled, state.withLock({ !$0.lines.isEmpty || $0.isWriting }) {
            try? await Task.sleep(for: .milliseconds(2))
        }
        state.withLock { $0.hasEnded = true }
        signal.signal()
    }

    private func run() {
        // A pipe whose reader has gone makes a write fail, and must not end the process.
        blockBrokenPipeSignal()
        var lastSecond = ContinuousClock.now
        while true {
            signal.wait(milliseconds: 1000)
            let now = ContinuousClock.now
            if now - lastSecond >= .seconds(1) {
                lastSecond = now
                observed.secondPassed()
            }
            writeQueue()
            if state.withLock({ $0.hasEnded }) { return }
        }
    }

    private func writeQueue() {
        while let (lines, lost) = take() {
            if lost > 0 { writeAll(observed.line(lost: lost)) }
            for line in lines { writeAll(line) }
        }
    }

    /// Returns the lines that wait and the number of lost ones, or `nil` without any.
    private func take() -> (lines: [[UInt8]], lost: Int)? {
        state.withLock { state in
            state.bytes -= state.bytesInWriting
            state.bytesInWriting = 0
            guard !state.lines.isEmpty || (state.lost > 0 && !state.hasEnded) else {
                state.isWriting = false
                return nil
            }
            let taken = (state.lines, state.lost)
            state.lines = []
            state.bytesInWriting = state.bytes
            state.lost = 0
            state.isWriting = true
            return taken
        }
    }

    /// Writes all bytes, and waits for a descriptor that is full.
    ///
    /// A line that the descriptor refuses, such as on a full disk, counts as lost.
    private func writeAll(_ bytes: [UInt8]) {
        let isWritten = bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = systemWrite(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                if count >= 0 {
                    offset += count
                } else if errno == EAGAIN {
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&ready, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
        if !isWritten { observed.linesWereLost(1) }
    }
}

/// Learns of the fate of lines in a ``LogQueue``.
package protocol LogQueueObserver: Sendable {
    /// Called on any thread when lines were lost.
    func linesWereLost(_ count: Int)

    /// Called on the queue's thread about once a second, and at the end.
    func secondPassed()

    /// Returns a line with the number of lines that were lost.
    func line(lost: Int) -> [UInt8]
}

private struct SilentObserver: LogQueueObserver {
    func linesWereLost(_ count: Int) {}
    func secondPassed() {}
    func line(lost: Int) -> [UInt8] {
        Array("{\"level\":\"warning\",\"message\":\"log lines were lost\",\"lost\":\(lost)}\n".utf8)
    }
}

/// Calls the system's `write`, which has another module on each platform.
func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
    Glibc.write(descriptor, bytes, count)
    #elseif canImport(Musl)
    Musl.write(descriptor, bytes, count)
    #else
    Darwin.write(descriptor, bytes, count)
    #endif
}
