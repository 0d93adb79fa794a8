import Glibc

/// Copies of a read-mostly state, one for each group of threads, so that threads do not wait for each other's lock.
///
/// A copy is a cache. If it is one of a shared state, the state's owner changes all copies under its own lock. If each group of threads
/// finds its state by itself, as the time, it changes its own copy.
public final class Striped<State: Sendable>: Sendable {
    @usableFromInline final class Stripe: Sendable {
        @usableFromInline let state: Locked<State>

        @usableFromInline init(_ state: State) { self.state = Locked(state) }
    }

    private static var count: Int { 16 }

    @usableFromInline let stripes: [Stripe]

    /// Creates copies of a state.
    public init(_ state: State) {
        stripes = (0..<Self.count).map { _ in Stripe(state) }
    }

    /// Calls `body` with the copy of the current thread.
    @inlinable
    public func withCurrent<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        stripes[currentStripe()].state.withLock { state in body(&state) }
    }

    /// Calls `body` with every copy.
    public func updateAll(_ body: (inout State) -> Void) {
        for stripe in stripes { stripe.state.withLock { state in body(&state) } }
    }
}

/// Returns the number of the current thread's copy, from 0 to 15.
///
/// Several threads share a number.
public func currentStripe() -> Int {
    // The addresses of threads differ in high bits only, which the multiplication (Fibonacci hashing) spreads.
    let hash = UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15
    return Int(hash >> 60)
}
