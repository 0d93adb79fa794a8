#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The file of a Unix-domain socket.
package enum SocketFile {
    /// The longest path that SwiftNIO listens on, in bytes.
    ///
    /// Linux takes four more (unix(7)).
    private static let maximumLength = 103

    /// Removes a socket that no program listens on any more, so that its path is free.
    ///
    /// - Throws: ``SocketFileFault`` if the path is too long, another file has it, or a program listens there.
    package static func makeRoom(at path: String) throws(SocketFileFault) {
        guard path.utf8.count <= maximumLength else {
            throw SocketFileFault("is too long for a socket. Choose a path of at most \(maximumLength) bytes.")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw SocketFileFault("cannot be examined: \(String(cString: strerror(errno))).")
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SocketFileFault(
                "is the path of a file that is not a socket. Choose another path, or remove the file."
            )
        }
        guard try isStale(path) else {
            throw SocketFileFault("is in use by a running program. Stop it, or choose another path.")
        }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw SocketFileFault(
                "has an old socket that cannot be removed: \(String(cString: strerror(errno)))."
            )
        }
    }

    /// Lets the owner and the group connect.
    package static func share(_ path: String) { _ = chmod(path, 0o660) }

    /// Removes the file of a listener that has closed.
    package static func remove(_ path: String) { _ = unlink(path) }

    /// Returns true if no program listens on a socket.
    private static func isStale(_ path: String) throws(SocketFileFault) -> Bool {
        #if canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else {
            throw SocketFileFault("cannot be examined: \(String(cString: strerror(errno))).")
        }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result != 0 && errno == ECONNREFUSED
    }
}

/// An error that says that a socket cannot have its path.
package struct SocketFileFault: Error, Sendable, Hashable {
    /// The end of a sentence whose subject is the socket, and the next step.
    package let clause: String

    init(_ clause: String) { self.clause = clause }
}
