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
    ///
    /// The rounded numbers decide. Otherwise the same time would be 2 h, and 120 min a second later.
    package static func length(seconds: Int) -> String {
        let (minutes, hours, days) = (rounded(seconds, 60), rounded(seconds, 3600), rounded(seconds, 86_400))
        let (months, years) = (rounded(seconds, 30 * 86_400), rounded(seconds, 365 * 86_400))
        return if years >= 2, months >= 24 {
            "\(years) years"
        } else if days >= 60 {
            "\(months) months"
        } else if hours >= 48 {
            "\(days) days"
        } else if minutes >= 120 {
            "\(hours) h"
        } else if seconds >= 120 {
            "\(minutes) min"
        } else {
            "\(seconds) s"
        }
    }

    private static func rounded(_ seconds: Int, _ unit: Int) -> Int { (seconds + unit / 2) / unit }
}
