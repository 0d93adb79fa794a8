#if !TSAN
public import Synchronization

/// A value that one thread at a time can read and change.
///
/// It is `Synchronization.Mutex`, except in a build for ThreadSanitizer (`-DTSAN`). The sanitizer does not see the futex of a `Mutex` on
/// Linux and reports races that do not exist; that build uses a mutex of pthread, which the sanitizer knows.
@frozen
public struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>

    /// Creates a lock around a value.
    @inlinable
    public init(_ initial: consuming sending Value) {
        mutex = Mutex(initial)
    }

    /// Waits for the lock, calls a closure with the value, and unlocks.
    ///
    /// - Parameter body: The closure. It can change the value. It must not block, and must not use the same lock.
    /// - Returns: The result of the closure.
    /// - Throws: The error of the closure.
    @inlinable
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock(body)
    }

    /// Calls a closure with the value if no other thread has the lock.
    ///
    /// - Parameter body: The closure. It can change the value. It must not block, and must not use the same lock.
    /// - Returns: The result of the closure, or `nil` if another thread has the lock.
    /// - Throws: The error of the closure.
    @inlinable
    public borrowing func withLockIfAvailable<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result? {
        try mutex.withLockIfAvailable(body)
    }
}
#endif
