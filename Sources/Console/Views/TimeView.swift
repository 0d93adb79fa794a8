import Keys

/// The values of the template `time`: an instant as a person and a program read it.
enum TimeView {
    /// Returns the values, or `nil` without an instant.
    static func values(_ time: Timestamp?, at now: Timestamp) -> [String: Any]? {
        guard let time else { return nil }
        return ["iso": time.rfc3339, "utc": full(time), "text": short(time), "relative": relative(time, to: now)]
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Returns the date and time to the second, such as "26 Nov 2026, 10:04:05 UTC".
    static func full(_ time: Timestamp) -> String {
        let text = time.rfc3339
        return "\(date(time)), \(text.dropFirst(11).prefix(8)) UTC"
    }

    /// Returns the date and time to the minute, such as "26 Nov 2026, 10:04".
    static func short(_ time: Timestamp) -> String { "\(date(time)), \(time.rfc3339.dropFirst(11).prefix(5))" }

    /// Returns the date, such as "26 Nov 2026".
    static func date(_ time: Timestamp) -> String {
        let text = time.rfc3339
        let month = Int(text.dropFirst(5).prefix(2)).map { months[$0 - 1] } ?? ""
        return "\(Int(text.dropFirst(8).prefix(2)) ?? 0) \(month) \(text.prefix(4))"
    }

    /// Returns the day and the month, such as "26 Nov".
    static func day(_ time: Timestamp) -> String { String(date(time).dropLast(5)) }

    /// Returns the date as an `input` of type `date` takes it.
    static func input(_ time: Timestamp) -> String { String(time.rfc3339.prefix(10)) }

    /// Returns the distance from now, such as "3 days ago" or "in 2 hours".
    static func relative(_ time: Timestamp, to now: Timestamp) -> String {
        let seconds = (time.microsecondsSinceUnixEpoch - now.microsecondsSinceUnixEpoch) / 1_000_000
        let length = abs(seconds)
        if length < 45 { return seconds > 0 ? "in a moment" : "just now" }
        let (count, unit): (Int64, String) =
            switch length {
            case ..<5400: (max(1, (length + 30) / 60), "minute")
            case ..<(36 * 3600): ((length + 1800) / 3600, "hour")
            case ..<(60 * 86_400): ((length + 43_200) / 86_400, "day")
            case ..<(730 * 86_400): ((length + 15 * 86_400) / (30 * 86_400), "month")
            default: ((length + 182 * 86_400) / (365 * 86_400), "year")
            }
        let amount = "\(count) \(unit)\(count == 1 ? "" : "s")"
        return seconds > 0 ? "in \(amount)" : "\(amount) ago"
    }
}
