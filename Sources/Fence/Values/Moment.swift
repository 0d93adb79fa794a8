import Glibc

/// A moment of the machine's clock that also counts the time in which the machine is suspended.
///
/// It is a number of nanoseconds, so it fits into an atomic variable.
public struct Moment: Sendable, Hashable, Comparable {
    /// The time since the start of the machine, in nanoseconds.
    public let nanoseconds: Int64

    /// Creates a moment.
    ///
    /// - Parameter nanoseconds: The time since the start of the machine.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A moment before every other moment.
    public static let distantPast = Moment(nanoseconds: .min)

    /// The moment of the call.
    public static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Moment(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// Orders moments.
    public static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Returns the moment after a duration, which has at most nanosecond precision.
    public static func + (moment: Moment, duration: Duration) -> Moment {
        let parts = duration.components
        return Moment(
            nanoseconds: moment.nanoseconds + parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        )
    }

    /// Returns the time between two moments.
    public static func - (left: Moment, right: Moment) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}

/// A clock of fences.
///
/// It must count the time in which the process, the system or the virtual machine is stopped (decision 0014, assumption c).
public typealias FenceClock = @Sendable () -> Moment
