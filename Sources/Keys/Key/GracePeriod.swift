/// The time for which a replaced secret or a deprecated key keeps working: 0 to 30 days, by default 24 hours.
package struct GracePeriod: Sendable, Hashable {
    /// The accepted lengths in seconds.
    package static let range = 0...2_592_000

    /// 24 hours.
    package static let `default` = GracePeriod(unchecked: 86_400)

    /// No grace period.
    ///
    /// The end is a change of state and not an instant.
    package static let none = GracePeriod(unchecked: 0)

    /// The length in seconds.
    package let seconds: Int

    /// Creates a grace period, or returns `nil` if the length is outside of ``range``.
    package init?(seconds: Int) {
        guard Self.range.contains(seconds) else { return nil }
        self.init(unchecked: seconds)
    }

    private init(unchecked seconds: Int) { self.seconds = seconds }

    /// Returns the end of a grace period that begins at `now`.
    ///
    /// - Parameters:
    ///   - now: The beginning.
    ///   - limit: The latest possible end. `nil` means no limit.
    /// - Returns: An end that is not later than `limit`, or ``GraceEnd/atOnce`` if no time is left.
    package func end(from now: Timestamp, notAfter limit: Timestamp?) -> GraceEnd {
        let end = min(now + .seconds(seconds), limit ?? .latest)
        return end <= now ? .atOnce : .at(end)
    }
}

/// The end of a grace period.
package enum GraceEnd: Sendable, Hashable {
    /// The grace period ends together with the change that would begin it.
    case atOnce
    /// The grace period ends at an instant, which does not belong to it.
    case at(Timestamp)
}
