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
            if digits != .none { writer.appendFraction(fraction, digits: digits.rawValue) }
            writer.append(0x5A)
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
        append4(date.year)
        append(0x2D)
        append2(date.month)
        append(0x2D)
        append2(date.day)
        append(0x54)
        appendTime(second)
    }

    /// Appends a point and the first digits of a fraction that is given in microseconds.
    fileprivate mutating func appendFraction(_ microseconds: Int, digits: Int) {
        append(0x2E)
        var rest = microseconds
        var unit = 100_000
        for _ in 0..<digits {
            append(0x30 + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }
}
