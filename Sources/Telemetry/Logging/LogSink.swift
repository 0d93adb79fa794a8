import Locks

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A destination of log lines.
package protocol LogSink: Sendable {
    /// Writes one line with its line feed, in full or not at all.
    func write(_ line: [UInt8])
}

/// Writes lines to a file descriptor.
///
/// A lock keeps lines whole. A blocking descriptor blocks its writers, because the sink has no queue. A non-blocking descriptor that is
/// full loses the line, and the number of lost lines is written before the next line.
package final class DescriptorSink: LogSink {
    private let descriptor: CInt
    private let lost = Locked(0)

    /// Creates a sink.
    ///
    /// The caller keeps the ownership of the descriptor.
    package init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// The standard error stream of the process.
    package static let standardError = DescriptorSink(STDERR_FILENO)

    /// True if the descriptor is a terminal.
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

    /// Writes all bytes, and returns false if none were written.
    ///
    /// If a part of the line is written, the function waits for the descriptor to write the rest.
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
