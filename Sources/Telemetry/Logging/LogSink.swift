import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Where log lines go.
package protocol LogSink: Sendable {
    /// Takes one line with its line feed. The line comes out whole or not at all.
    func write(_ line: [UInt8])
}

/// Writes lines to a file descriptor, each with as few `write(2)` calls as it takes, under a lock.
///
/// The lock keeps lines whole. A descriptor that blocks, blocks its writers, as with every logger that has no queue; one
/// in non-blocking mode that is full loses the line, and the next line that gets through is preceded by their number.
package final class DescriptorSink: LogSink {
    private let descriptor: CInt
    private let lost = Mutex(0)

    /// Makes a sink; the descriptor stays the caller's.
    package init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// The standard error stream of the process.
    package static let standardError = DescriptorSink(STDERR_FILENO)

    /// Whether the descriptor is a terminal, which a person reads.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes the line.
    package func write(_ line: [UInt8]) {
        lost.withLock { lost in
            if lost > 0,
                writeAll(Array("{\"level\":\"warning\",\"message\":\"log lines were lost\",\"lost\":\(lost)}\n".utf8))
            {
                lost = 0
            }
            if !writeAll(line) { lost += 1 }
        }
    }

    /// A line of which a part is out is finished, even if the descriptor has to be waited for.
    private func writeAll(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                #if canImport(Glibc)
                let count = Glibc.write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                #elseif canImport(Musl)
                let count = Musl.write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                #else
                let count = Darwin.write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                #endif
                if count >= 0 {
                    offset += count
                } else if errno == EAGAIN, offset > 0 {
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    guard poll(&ready, 1, 100) > 0 else { return false }
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
