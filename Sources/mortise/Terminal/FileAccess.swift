import FoundationEssentials
import Glibc
import Service

/// Reads and writes whole small files, with the modes that secrets need.
package enum FileAccess {
    /// A failed system call.
    package struct Fault: Error, Sendable, Equatable {
        /// The reason in the words of the system, such as "No such file or directory".
        package let reason: String
        /// True if the call failed because the file exists.
        package let isExisting: Bool
        /// True if the call failed because the file does not exist.
        package var isMissing = false

        /// Returns the fault of the call that failed last.
        static func last() -> Fault {
            let code = errno
            return Fault(
                reason: String(cString: strerror(code)),
                isExisting: code == EEXIST,
                isMissing: code == ENOENT || code == ENOTDIR
            )
        }
    }

    /// Reads a file.
    ///
    /// `-` is standard input.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - limit: The maximum size in bytes.
    /// - Returns: The whole content.
    /// - Throws: `Fault` if the file cannot be read or is larger than `limit`.
    static func read(_ path: String, limit: Int) async throws -> [UInt8] {
        try await Blocking.run { try readNow(path, limit: limit) }
    }

    /// Reads a file and blocks the thread meanwhile.
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

    /// Returns true if other users than the owner can read or change a regular file.
    static func isOpenToOthers(_ path: String) -> Bool { (permissions(ofRegularFile: path) ?? 0) & 0o077 != 0 }

    /// Returns the permissions of a regular file, or `nil` for anything else.
    ///
    /// A mounted file is often a link, whose own permissions say nothing, so links are followed.
    static func permissions(ofRegularFile path: String) -> Int? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        let attributes = try? FileManager.default.attributesOfItem(atPath: String(cString: resolved))
        guard attributes?[.type] as? FileAttributeType == .typeRegular else { return nil }
        return attributes?[.posixPermissions] as? Int
    }

    /// Creates a file that only its owner can read.
    ///
    /// - Returns: The descriptor of the file, open for writing.
    /// - Throws: `Fault` if the file exists or cannot be created.
    static func createSecret(_ path: String) throws(Fault) -> CInt {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault.last() }
        return descriptor
    }

    /// Writes all bytes.
    ///
    /// Returns false after an error, which is then in `errno`.
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
