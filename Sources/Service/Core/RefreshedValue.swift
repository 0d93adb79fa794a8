import Locks

/// A value that is read from elsewhere and kept, as this node last read it.
///
/// The value is read again when it is an hour old, or when it lacks what a caller needs. The latter happens once a minute at most. A
/// value that cannot be read again is used for up to a day. Concurrent callers share one read.
final class RefreshedValue<Value: Sendable>: Sendable {
    private static var freshFor: Duration { .seconds(3600) }
    private static var usableFor: Duration { .seconds(86_400) }
    private static var retryAfter: Duration { .seconds(60) }
    /// The pause after a failure without a value, which is short because nothing works meanwhile.
    private static var retryEmptyAfter: Duration { .seconds(5) }

    private struct State {
        var known: (value: Value, readAt: Duration)?
        var triedAt: Duration?
        var reading: Task<Value?, Never>?
        var isClosed = false
    }

    private let state = Locked(State())
    private let elapsed: @Sendable () -> Duration
    private let read: @Sendable () async -> Value?

    /// Creates a value that was not read yet.
    ///
    /// - Parameters:
    ///   - elapsed: Returns the time since some moment.
    ///   - read: Reads the value, within a deadline of its own. Returns `nil` for a failure, which it has logged.
    init(elapsed: @escaping @Sendable () -> Duration, read: @escaping @Sendable () async -> Value?) {
        self.elapsed = elapsed
        self.read = read
    }

    /// The value as it was last read, if it is not too old.
    var current: Value? {
        let now = elapsed()
        return state.withLock { Self.usable($0, now) }
    }

    /// True while the value is read.
    var isReading: Bool { state.withLock { $0.reading != nil } }

    /// A value as it is known, and the read that the caller must wait for.
    struct Access: Sendable {
        fileprivate let known: Value?
        fileprivate let reading: Task<Value?, Never>?

        /// Returns the value, after the end of the read.
        ///
        /// - Throws: `Refusal.unavailable` if there is no usable value and none can be read.
        func value() async throws(Refusal) -> Value {
            if let reading, let value = await reading.value { return value }
            guard let known else { throw .unavailable }
            return known
        }
    }

    /// Returns the value, and reads it again if it is old or lacks something.
    ///
    /// - Parameter suffices: Returns true for a value that has what the caller needs.
    /// - Returns: A value, which can still lack it.
    /// - Throws: `Refusal.unavailable` if there is no usable value and none can be read.
    func value(where suffices: (Value) -> Bool = { _ in true }) async throws(Refusal) -> Value {
        try await access(where: suffices).value()
    }

    /// Begins a read if the value is old or lacks something, and does not wait for it.
    ///
    /// - Parameter suffices: Returns true for a value that has what the caller needs.
    /// - Returns: The access, whose value can still lack it.
    func access(where suffices: (Value) -> Bool) -> Access {
        let now = elapsed()
        return state.withLock { state in
            let usable = Self.usable(state, now)
            let isEnough = usable.map(suffices) == true
            let isFresh = state.known.map { now - $0.readAt < Self.freshFor } == true && isEnough
            let pause = usable == nil ? Self.retryEmptyAfter : Self.retryAfter
            let mayTry = state.triedAt.map { now - $0 >= pause } ?? true
            if !isFresh, state.reading == nil, mayTry, !state.isClosed {
                state.triedAt = now
                state.reading = Task { await self.refresh() }
            }
            return Access(known: usable, reading: isEnough ? nil : state.reading)
        }
    }

    /// Cancels a read, and waits for its end.
    ///
    /// No new read begins.
    func shutdown() async {
        let reading = state.withLock { state in
            state.isClosed = true
            return state.reading
        }
        reading?.cancel()
        _ = await reading?.value
    }

    private static func usable(_ state: State, _ now: Duration) -> Value? {
        state.known.flatMap { now - $0.readAt < usableFor ? $0.value : nil }
    }

    private func refresh() async -> Value? {
        let value = await read()
        let now = elapsed()
        state.withLock { state in
            state.reading = nil
            if let value { state.known = (value, now) }
        }
        return value
    }
}
