import Endpoints
import JSON
import Keys

/// Parses the grace periods of Fluxbase's clients: hours as a number or text, or a duration such as `24h` or `7d`.
enum FluxbaseGrace {
    /// The detail for a malformed duration.
    static let detail = "must be a duration such as '24h' or '7d'"

    /// Returns the grace period of a body, at most 30 days.
    ///
    /// Defaults to 24 hours, also for 0 and less.
    static func period(_ body: Fields) throws -> GracePeriod {
        let seconds: Double? =
            if let hours: JSONValue = try body.optional("grace_period_hours") {
                Self.hours(hours).map { $0 * 3600 }
            } else {
                try body.optional("grace_period", as: String.self).flatMap(Self.length)
            }
        guard let seconds, seconds >= 1 else { return .default }
        let longest = GracePeriod.range.upperBound
        return GracePeriod(seconds: seconds >= Double(longest) ? longest : Int(seconds)) ?? .default
    }

    /// Returns true if a body names a grace period.
    static func isNamed(in body: Fields) -> Bool {
        ["grace_period_hours", "grace_period"].contains { body.object[$0].map { !$0.isNull } ?? false }
    }

    /// Returns a number of hours.
    ///
    /// `nil` for any other value.
    static func hours(_ value: JSONValue) -> Double? {
        switch value {
        case .number(let number): number.double
        case .string(let text): Self.number(text)
        default: nil
        }
    }

    /// Returns a duration in seconds.
    ///
    /// `nil` for any other text.
    static func length(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Self.number(String(text.dropLast())) else {
            return nil
        }
        return count * unit
    }

    /// Parses decimal digits with an optional sign and point.
    ///
    /// `Double` alone also accepts hexadecimals, infinities and exponents.
    private static func number(_ text: String) -> Double? {
        let allowed = text.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
        return allowed && text.utf8.count <= 18 ? Double(text) : nil
    }
}
