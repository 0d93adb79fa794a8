import Glibc

/// An advisory lock on a file, `flock(2)`.
///
/// The kernel releases the lock when its holder ends, also after a crash. The descriptor is closed on `exec`, so a program
/// that this process starts does not keep the lock.
final class FileLock: Sendable {
    enum Mode: Sendable {
        case shared
        case exclusive
    }

    private let path: String
    private let descriptor: Int32

    /// Opens the file, or creates it, without taking the lock.
    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw LocalPostgresError.systemCall("open the lock file \(path)", errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Returns true if a process holds the exclusive lock on a file.
    ///
    /// A file that does not exist is not locked, and is not created.
    static func isHeld(path: String) throws -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw LocalPostgresError.systemCall("open the lock file \(path)", errno)
        }
        defer { close(descriptor) }
        // Closing releases the shared lock. A process that wants the exclusive one meanwhile waits or asks again.
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Takes the lock if that is possible without waiting.
    ///
    /// A lock that this object already holds is released, even if the new one is refused.
    ///
    /// - Returns: True if this object now holds the lock.
    func tryLock(_ mode: Mode) throws -> Bool {
        let operation = mode == .shared ? LOCK_SH : LOCK_EX
        while flock(descriptor, operation | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return false
            default: throw LocalPostgresError.systemCall("lock \(path)", errno)
            }
        }
        return true
    }

    /// Takes the lock, and asks for it every 20 ms until the deadline.
    ///
    /// A blocking `flock` would hold a thread of the cooperative pool.
    func lock(_ mode: Mode, until deadline: Deadline) async throws {
        while try !tryLock(mode) {
            try await deadline.pause("for other users of \(path)")
        }
    }

    /// Releases the lock.
    func unlock() {
        flock(descriptor, LOCK_UN)
    }
}
