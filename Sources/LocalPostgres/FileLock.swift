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
