import Endpoints
import JSON
import Keys

/// Reads the grace periods of Fluxbase's clients: hours as a number or as its text, or a length such as `24h` or `7d`.
enum FluxbaseGrace {
    /// The clause for a length that cannot be read.
    static let detail = "must be a length of time such as '24h' or '7d'"

    /// The grace period that a body asks for: 24 hours where it names none or nothing above 0, and at most 30 days.
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

    /// A number of hours; `nil` for what is none.
    static func hours(_ value: JSONValue) -> Double? {
        switch value {
        case .number(let number): number.double
        case .string(let text): Self.number(text)
        default: nil
        }
    }

    /// A length in seconds; `nil` for what is none.
    static func length(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Self.number(String(text.dropLast())) else {
            return nil
        }
        return count * unit
    }

    /// Decimal digits with a sign and a point at most: `Double` itself also reads hexadecimals, infinities and exponents.
    private static func number(_ text: String) -> Double? {
        let allowed = text.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
        return allowed && text.utf8.count <= 18 ? Double(text) : nil
    }
}
