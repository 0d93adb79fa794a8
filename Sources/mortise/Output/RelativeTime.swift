package import FoundationEssentials

/// A time in relation to another, such as "in 3 days" or "2 h ago".
package enum RelativeTime {
    /// Returns the time in relation to now, in the largest unit of which there are at least two.
    ///
    /// - Parameters:
    ///   - time: The time.
    ///   - now: The present time.
    /// - Returns: The text. Parts of a unit are rounded.
    package static func text(_ time: Date, now: Date) -> String {
        let seconds = time.timeIntervalSince(now)
        if abs(seconds) < 1 { return "now" }
        let length = length(seconds: Int(abs(seconds).rounded()))
        return seconds > 0 ? "in \(length)" : "\(length) ago"
    }

    /// Returns a number of seconds in the largest unit of which there are at least two.
    package static func length(seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(rounded(seconds, 60)) min"
        case ..<172_800: "\(rounded(seconds, 3600)) h"
        case ..<(60 * 86_400): "\(rounded(seconds, 86_400)) days"
        case ..<(730 * 86_400): "\(rounded(seconds, 30 * 86_400)) months"
        default: "\(rounded(seconds, 365 * 86_400)) years"
        }
    }

    private static func rounded(_ seconds: Int, _ unit: Int) -> Int { (seconds + unit / 2) / unit }
}
