import Glibc

/// An advisory lock on a file, `flock(2)`: the kernel releases it when its holder ends, however it ends.
///
/// The descriptor is closed on `exec`, so no program started from here keeps the lock.
final class FileLock: Sendable {
    enum Mode: Sendable {
        case shared
        case exclusive
    }

    private let path: String
    private let descriptor: Int32

    /// Opens the file, creating it if need be, without locking it.
    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw LocalPostgresError.systemCall("open the lock file \(path)", errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Whether somebody holds a file locked exclusively; a file that is not there is held by nobody, and is not made.
    static func isHeld(path: String) throws -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw LocalPostgresError.systemCall("open the lock file \(path)", errno)
        }
        defer { close(descriptor) }
        // Closing lets go of it again; who wants it exclusively in between waits or asks again.
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Takes the lock if that is possible now.
    ///
    /// A lock already held is given up, even if the new one is refused.
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

    /// Takes the lock, asking for it every 20 ms: a blocking `flock` would hold a thread of the cooperative pool.
    func lock(_ mode: Mode, until deadline: Deadline) async throws {
        while try !tryLock(mode) {
            try await deadline.pause("for other users of \(path)")
        }
    }

    func unlock() {
        flock(descriptor, LOCK_UN)
    }
}
