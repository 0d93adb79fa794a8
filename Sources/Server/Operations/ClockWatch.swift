package import Keys

/// The comparison of this node's clock with the database's, which is reported when it changes.
///
/// The database's clock decides about keys, sessions and sign-ins. The node's clock is in log lines and in the `Date` of answers.
package struct ClockWatch {
    /// The difference up to which clocks agree: 5 seconds, as in `mortise doctor`.
    package static let tolerance: Int64 = 5_000_000

    /// A change that is reported.
    package enum Change: Sendable, Hashable {
        /// The node's clock is ahead by this number of microseconds; a negative number is behind.
        case differs(ahead: Int64)
        /// The clocks agree again.
        case agrees
    }

    private var isOff = false

    /// Creates a comparison that has found no difference.
    package init() {}

    /// Compares the clocks.
    ///
    /// - Parameters:
    ///   - before: The node's clock before the database was asked.
    ///   - theirs: The database's time.
    ///   - after: The node's clock after the answer. The time between the two is no difference.
    /// - Returns: The change since the last comparison, if there is one.
    package mutating func compare(before: Timestamp, theirs: Timestamp, after: Timestamp) -> Change? {
        let now = theirs.microsecondsSinceUnixEpoch
        let ahead = max(before.microsecondsSinceUnixEpoch - now, 0) + min(after.microsecondsSinceUnixEpoch - now, 0)
        let wasOff = isOff
        isOff = abs(ahead) > Self.tolerance
        if isOff == wasOff { return nil }
        return isOff ? .differs(ahead: ahead) : .agrees
    }
}
