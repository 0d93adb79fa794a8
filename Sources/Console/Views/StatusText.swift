import Keys

/// The spelling of lengths of time and of numbers of requests in pages about servers.
enum StatusText {
    /// Returns a length of time, such as "345 ms" or "12 s".
    static func length(milliseconds: Int) -> String {
        switch milliseconds {
        case ..<1000: "\(milliseconds) ms"
        case ..<60_000: "\(milliseconds / 1000) s"
        case ..<3_600_000: NumberText.counted(milliseconds / 60_000, "minute")
        default: NumberText.counted(milliseconds / 3_600_000, "hour")
        }
    }

    /// Returns the values of the template `ago` for an instant that was a number of milliseconds ago.
    static func ago(milliseconds: Int, at now: Timestamp) -> [String: Any] {
        let time = now - Duration.milliseconds(milliseconds)
        return [
            "iso": time.rfc3339, "utc": TimeView.full(time), "relative": "\(length(milliseconds: milliseconds)) ago",
        ]
    }

    /// Returns the requests that wait, such as "3 requests wait", or `nil` if none does.
    static func waiting(_ count: Int) -> String? {
        guard count > 0 else { return nil }
        return count == 1 ? "1 request waits" : "\(NumberText.grouped(count)) requests wait"
    }
}
