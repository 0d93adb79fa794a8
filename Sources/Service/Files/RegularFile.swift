import Glibc

/// Reads whole small files, and nothing that only looks like one: a pipe or a device would keep its reader waiting for ever.
package enum RegularFile {
    /// Why a file is not read.
    package struct Unreadable: Error, CustomStringConvertible {
        /// What the system says, or what is wrong with the file.
        package let description: String
    }

    /// Reads a file of `limit` bytes at most.
    ///
    /// It blocks, for as long as a disk takes.
    static func read(_ path: String, limit: Int) throws(Unreadable) -> [UInt8] {
        // Without O_NONBLOCK to open a pipe is to wait for its writer.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(description: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Unreadable(description: "it is not a regular file")
        }
        return try readAll(descriptor, limit: limit)
    }

    /// Reads what a descriptor has to its end, `limit` bytes at most; it blocks.
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
