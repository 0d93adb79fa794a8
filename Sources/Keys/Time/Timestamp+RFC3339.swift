extension Timestamp {
    /// The instant that an RFC 3339 text names, or `nil` where it is none.
    ///
    /// Strict: upper-case `T` and `Z`, a zone is required, 1 to 9 digits in a fraction, no leap second, no `24:00`.
    /// Offsets are accepted. Digits below a microsecond are dropped. Instants outside the years 1 to 9999 in UTC are
    /// refused.
    public init?(rfc3339 text: String) {
        var scanner = ByteScanner(text.utf8)
        guard
            let year = scanner.number(digits: 4), scanner.skip(0x2D),
            let month = scanner.number(digits: 2), scanner.skip(0x2D),
            let day = scanner.number(digits: 2), scanner.skip(0x54),
            let hour = scanner.number(digits: 2), hour < 24, scanner.skip(0x3A),
            let minute = scanner.number(digits: 2), minute < 60, scanner.skip(0x3A),
            let second = scanner.number(digits: 2), second < 60,
            let fraction = scanner.microseconds(),
            let offset = scanner.offsetInMinutes(),
            scanner.isAtEnd,
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        let minutes = (date.daysSinceUnixEpoch * 24 + hour) * 60 + minute - offset
        let microseconds = Int64(minutes * 60 + second) * 1_000_000 + Int64(fraction)
        guard (Self.earliestMicroseconds...Self.latestMicroseconds).contains(microseconds) else { return nil }
        self.init(microsecondsSinceUnixEpoch: microseconds)
    }

    /// The instant as RFC 3339 in UTC with `Z`.
    ///
    /// Three fraction digits where the instant is a whole number of milliseconds, six where it is not: every instant
    /// has exactly one spelling, and none loses anything.
    public var rfc3339: String {
        let (wholeSeconds, microsecond) = Self.floored(microsecondsSinceUnixEpoch, by: 1_000_000)
        let (days, secondOfDay) = Self.floored(wholeSeconds, by: 86_400)
        let date = CivilDate(daysSinceUnixEpoch: days)
        var text: [UInt8] = []
        text.reserveCapacity(27)
        text.appendDecimal(date.year, digits: 4)
        text.append(0x2D)
        text.appendDecimal(date.month, digits: 2)
        text.append(0x2D)
        text.appendDecimal(date.day, digits: 2)
        text.append(0x54)
        text.appendDecimal(secondOfDay / 3_600, digits: 2)
        text.append(0x3A)
        text.appendDecimal(secondOfDay / 60 % 60, digits: 2)
        text.append(0x3A)
        text.appendDecimal(secondOfDay % 60, digits: 2)
        text.append(0x2E)
        if microsecond.isMultiple(of: 1_000) {
            text.appendDecimal(microsecond / 1_000, digits: 3)
        } else {
            text.appendDecimal(microsecond, digits: 6)
        }
        text.append(0x5A)
        return String(decoding: text, as: UTF8.self)
    }

    private static func floored(_ value: some BinaryInteger, by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = Int(value).quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension Timestamp: CustomStringConvertible {
    /// The instant as RFC 3339 in UTC.
    public var description: String { rfc3339 }
}

extension ByteScanner {
    /// The fraction behind the seconds in microseconds; 0 where there is none, `nil` where it is malformed.
    fileprivate mutating func microseconds() -> Int? {
        guard skip(0x2E) else { return 0 }
        var value = 0
        var count = 0
        while let digit = digit() {
            count += 1
            guard count <= 9 else { return nil }
            if count <= 6 { value = value * 10 + digit }
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 6 - count) { value *= 10 }
        return value
    }

    /// Minutes east of UTC.
    fileprivate mutating func offsetInMinutes() -> Int? {
        if skip(0x5A) { return 0 }
        let sign: Int
        if skip(0x2B) {
            sign = 1
        } else if skip(0x2D) {
            sign = -1
        } else {
            return nil
        }
        guard
            let hours = number(digits: 2), hours < 24, skip(0x3A),
            let minutes = number(digits: 2), minutes < 60
        else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

extension [UInt8] {
    fileprivate mutating func appendDecimal(_ value: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(0x30 + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}
