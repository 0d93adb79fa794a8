import Glibc
import Service

/// Reading and writing whole small files with the modes that secrets need.
package enum FileAccess {
    /// A system call that failed, with its reason.
    package struct Fault: Error, Sendable, Equatable {
        /// What the system says, for example "No such file or directory".
        package let reason: String
        /// Whether the reason is that the file exists already.
        package let isExisting: Bool

        /// Takes the reason of the call that failed last.
        static func last() -> Fault { Fault(reason: String(cString: strerror(errno)), isExisting: errno == EEXIST) }
    }

    /// Reads a file; `-` is standard input.
    ///
    /// A file longer than `limit` bytes is an error.
    static func read(_ path: String, limit: Int) async throws -> [UInt8] {
        try await Blocking.run { try readNow(path, limit: limit) }
    }

    /// The same for callers that may block.
    package static func readNow(_ path: String, limit: Int) throws(Fault) -> [UInt8] {
        if path == "-" { return try readAll(STDIN_FILENO, limit: limit) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Fault.last() }
        defer { close(descriptor) }
        return try readAll(descriptor, limit: limit)
    }

    private static func readAll(_ descriptor: CInt, limit: Int) throws(Fault) -> [UInt8] {
        do {
            return try RegularFile.readAll(descriptor, limit: limit)
        } catch {
            throw Fault(reason: error.description, isExisting: false)
        }
    }

    /// Makes a file that only its owner may read, and returns its descriptor; one that exists is an error.
    static func createSecret(_ path: String) throws(Fault) -> CInt {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault.last() }
        return descriptor
    }

    /// Writes all bytes and says whether that succeeded; `errno` tells why not.
    @discardableResult
    static func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            start += count
        }
        return true
    }
}
