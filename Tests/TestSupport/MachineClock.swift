import Locks

/// A clock for limits: one second of it is as much work as the idle reference machine does in a second.
///
/// The clock is slow where the machine is slow or busy. A limit in machine time therefore allows the same work everywhere. The time in
/// which the whole process stands still, as after SIGSTOP, does not count.
///
/// ```swift
/// let end = MachineClock.shared.now.advanced(by: .seconds(30))
/// ```
public final class MachineClock: Clock {
    /// A moment of the clock.
    public struct Instant: InstantProtocol {
        /// The machine time since the clock was first read.
        let elapsed: Duration

        /// Returns a later or an earlier moment.
        public func advanced(by duration: Duration) -> Instant { Instant(elapsed: elapsed + duration) }

        /// Returns the machine time from this moment to another.
        public func duration(to other: Instant) -> Duration { other.elapsed - elapsed }

        /// Orders moments.
        public static func < (left: Instant, right: Instant) -> Bool { left.elapsed < right.elapsed }
    }

    /// The clock of this process.
    public static let shared = MachineClock()

    private let time = Locked(MachineTime(start: .now))

    /// The moment of the call.
    public var now: Instant {
        Instant(elapsed: time.withLock { $0.advance(to: .now, slowness: MachineLoad.slowness) })
    }

    /// The shortest time that the clock measures.
    public var minimumResolution: Duration { MachineTime.shortestStep }

    /// Waits until a moment has passed.
    ///
    /// - Throws: `CancellationError`.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        while case let rest = now.duration(to: deadline), rest > .zero {
            // Machine time is never faster than real time. The load is measured once a second at least.
            try await Task.sleep(for: min(max(rest, MachineTime.shortestStep), MachineTime.longestStep))
        }
    }
}

/// The state of a `MachineClock`.
struct MachineTime: Sendable {
    /// The longest real time between two readings that counts.
    ///
    /// The process stood still for the rest of a longer one.
    static let longestStep = Duration.seconds(1)

    /// The shortest real time after which the load of the machine is measured again.
    static let shortestStep = Duration.milliseconds(50)

    private var last: ContinuousClock.Instant
    private var elapsed = Duration.zero

    /// Starts at zero.
    init(start: ContinuousClock.Instant) { last = start }

    /// Counts the time since the last call.
    ///
    /// - Parameters:
    ///   - now: The real time.
    ///   - slowness: The seconds of real time that make a second of machine time.
    /// - Returns: The machine time since the start.
    mutating func advance(to now: ContinuousClock.Instant, slowness: @autoclosure () -> Double) -> Duration {
        let step = now - last
        guard step >= Self.shortestStep else { return elapsed }
        last = now
        elapsed += min(step, Self.longestStep) / slowness()
        return elapsed
    }
}
