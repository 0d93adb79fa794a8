/// How long an old key or secret goes on working: 0 to 30 days, 24 hours where nobody says.
public struct GracePeriod: Sendable, Hashable {
    /// The seconds that are accepted.
    public static let range = 0...2_592_000

    /// 24 hours.
    public static let `default` = GracePeriod(unchecked: 86_400)

    /// None: the end is a change of state.
    public static let none = GracePeriod(unchecked: 0)

    /// The length in seconds.
    public let seconds: Int

    /// A grace period of that many seconds, or `nil` outside ``range``.
    public init?(seconds: Int) {
        guard Self.range.contains(seconds) else { return nil }
        self.init(unchecked: seconds)
    }

    private init(unchecked seconds: Int) { self.seconds = seconds }

    /// When something ends whose grace period begins at `now` and which ends at `limit` in any case.
    ///
    /// The end is never later than `limit`. Where nothing is left, it is a change of state.
    public func end(from now: Timestamp, notAfter limit: Timestamp?) -> GraceEnd {
        let end = min(now + .seconds(seconds), limit ?? .latest)
        return end <= now ? .atOnce : .at(end)
    }
}

/// How a grace period ends.
public enum GraceEnd: Sendable, Hashable {
    /// With the change that began it.
    case atOnce
    /// At that instant, which itself no longer belongs to it.
    case at(Timestamp)
}
