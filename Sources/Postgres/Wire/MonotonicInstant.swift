import LibPQ

/// An instant of the clock that all deadlines refer to.
///
/// It counts the time in which the machine was suspended, as `ContinuousClock` does.
///
/// The layout of `ContinuousClock.Instant` is known only at run time, and so is that of every type with such a member. A look-up moves
/// many values that have one, so this type has a fixed layout.
package struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// The nanoseconds since the start of the machine.
    private let nanoseconds: Int64

    private init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The current instant.
    package static var now: MonotonicInstant { MonotonicInstant(nanoseconds: MonotonicClock.nanoseconds) }

    /// Returns a later instant, or the latest one if the sum is later than that.
    package static func + (left: MonotonicInstant, right: Duration) -> MonotonicInstant {
        let (seconds, attoseconds) = right.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLate) = left.nanoseconds.addingReportingOverflow(whole)
        let (nanoseconds, isLaterStill) = sum.addingReportingOverflow(attoseconds / 1_000_000_000)
        if isTooLong || isTooLate || isLaterStill { return MonotonicInstant(nanoseconds: seconds < 0 ? .min : .max) }
        return MonotonicInstant(nanoseconds: nanoseconds)
    }

    package static func += (left: inout MonotonicInstant, right: Duration) {
        left = left + right
    }

    /// Returns the time between two instants.
    package static func - (left: MonotonicInstant, right: MonotonicInstant) -> Duration {
        .nanoseconds(left.nanoseconds.subtractingReportingOverflow(right.nanoseconds).partialValue)
    }

    package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
