extension RFC3339 {
    /// The number of fraction digits in a text.
    ///
    /// A text has six digits where fewer would lose a part of the instant.
    package enum FractionDigits: Int, Sendable {
        /// No fraction for a whole second.
        case none = 0
        /// Three digits for a whole millisecond.
        case three = 3
        /// Six digits in every text, so that texts sort like their instants.
        case six = 6

        /// The microseconds of the last digit.
        fileprivate var unit: Int {
            switch self {
            case .none: 1_000_000
            case .three: 1_000
            case .six: 1
            }
        }
    }

    /// Returns the text of an instant in UTC, with `Z`.
    ///
    /// An instant has exactly one text for each `digits`, and ``microseconds(_:)`` reads the instant back from it.
    ///
    /// - Parameters:
    ///   - microseconds: The instant, in microseconds since 1970. An instant outside of the years 0000 to 9999 counts as
    ///     the nearest instant inside.
    ///   - digits: The number of fraction digits.
    /// - Returns: The text, which has 20 to 27 characters.
    package static func text(microseconds: Int64, digits: FractionDigits) -> String {
        let instant = Int(min(max(microseconds, earliest), latest))
        let (seconds, fraction) = instant.dividedDown(by: 1_000_000)
        let digits = fraction.isMultiple(of: digits.unit) ? digits : .six
        return String(unsafeUninitializedCapacity: 27) { buffer in
            var writer = ASCIIWriter(buffer)
            writer.appendDateAndTime(seconds)
            if digits != .none {
                writer.append(".")
                writer.append(fraction / digits.unit, digits: digits.rawValue)
            }
            writer.append("Z")
            return writer.count
        }
    }

    /// 0000-01-01T00:00:00Z.
    private static let earliest: Int64 = -62_167_219_200_000_000

    /// 9999-12-31T23:59:59.999999Z.
    private static let latest: Int64 = 253_402_300_799_999_999
}

extension ASCIIWriter {
    /// Appends `yyyy-mm-ddThh:mm:ss`.
    fileprivate mutating func appendDateAndTime(_ seconds: Int) {
        let (days, second) = seconds.dividedDown(by: 86_400)
        let date = CivilDate(daysSinceUnixEpoch: days)
        append(date.year, digits: 4)
        append("-")
        append(date.month, digits: 2)
        append("-")
        append(date.day, digits: 2)
        append("T")
        appendTime(second)
    }
}
