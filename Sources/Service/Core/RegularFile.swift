import Glibc

/// Reads whole small files, and refuses pipes and devices, which could keep the reader waiting for ever.
package enum RegularFile {
    /// The reason for which a file was not read.
    package struct Unreadable: Error, CustomStringConvertible {
        /// The system's message, or the file's fault.
        package let description: String
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// The call blocks on the disk.
    static func read(_ path: String, limit: Int) throws(Unreadable) -> [UInt8] {
        // Without O_NONBLOCK, opening a pipe waits for its writer.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(description: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Unreadable(description: "it is not a regular file")
        }
        return try readAll(descriptor, limit: limit)
    }

    /// Reads a descriptor to its end, at most `limit` bytes.
    ///
    /// The call blocks.
    package static func readAll(_ descriptor: CInt, limit: Int) throws(Unreadable) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Unreadable(description: String(cString: strerror(errno)))
            }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw Unreadable(description: "it is longer than \(limit) bytes") }
        }
    }
}
