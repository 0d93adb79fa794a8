import FoundationEssentials
import JSON
import MortiseClient

/// Values of the API as text for people.
enum DisplayText {
    private static let absent = "-"

    /// Text, or a hyphen if there is none.
    static func optional(_ text: String?) -> String {
        guard let text, !text.isEmpty else { return absent }
        return text
    }

    /// Texts with commas between them, or a hyphen if there are none.
    static func list(_ texts: [String]) -> String {
        optional(texts.joined(separator: ", "))
    }

    /// A time in UTC to the second, such as `2026-01-31 12:34:56`, or a hyphen if there is none.
    static func second(_ time: Date?) -> String {
        time.map { second(rfc3339: $0.rfc3339) } ?? absent
    }

    /// A time in UTC to the second.
    static func second(rfc3339 text: String) -> String {
        String(text.prefix(19).replacing("T", with: " "))
    }

    /// A time in relation to now, such as `in 3 days`, or a hyphen if there is none.
    static func relative(_ time: Date?) -> String {
        time.map { RelativeTime.text($0, now: Date()) } ?? absent
    }

    /// A time to the second and in relation to now, such as `2026-01-31 12:34:56 UTC (in 3 days)`.
    static func time(_ time: Date?) -> String {
        time.map { "\(second($0)) UTC (\(relative($0)))" } ?? absent
    }
}
