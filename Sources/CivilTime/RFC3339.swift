/// The date and time format of JSON and of log lines (RFC 3339, section 5.6).
///
/// An instant is a number of microseconds since 1970-01-01T00:00:00Z. Leap seconds are not counted, as in POSIX and in
/// PostgreSQL.
///
/// The parser accepts what RFC 3339 allows, with these choices where it leaves one:
///
/// - `T` and `Z` may be in lower case. A space in place of the `T` is refused.
/// - Years go from 0000 to 9999, and each month has its real number of days.
/// - A fraction has 1 to 9 digits. Digits after the sixth are dropped.
/// - An offset goes from `-23:59` to `+23:59`. `-00:00`, the unknown local offset, counts as UTC.
/// - A leap second (`:60`) is refused, because no number of microseconds stands for it alone.
package enum RFC3339 {
    /// The length of the longest accepted text: nine fraction digits and an offset.
    package static let maximumLength = 35

    /// Returns the instant that a text names, in microseconds since 1970, or `nil` if the text is not a date and time.
    ///
    /// An offset can move the instant up to a day out of the years 0000 to 9999.
    package static func microseconds(_ text: String) -> Int64? {
        var scanner = ByteScanner(text)
        guard
            let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), scanner.skip("-"),
            let day = scanner.number(digits: 2), scanner.skip("T") || scanner.skip("t"),
            let hour = scanner.number(digits: 2), hour < 24, scanner.skip(":"),
            let minute = scanner.number(digits: 2), minute < 60, scanner.skip(":"),
            let second = scanner.number(digits: 2), second < 60,
            let fraction = scanner.fractionInMicroseconds(),
            let offset = scanner.offsetInMinutes(),
            scanner.isAtEnd,
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        let minutes = (date.daysSinceUnixEpoch * 24 + hour) * 60 + minute - offset
        return Int64(minutes * 60 + second) * 1_000_000 + Int64(fraction)
    }
}

extension ByteScanner {
    /// Reads the fraction of a second, in microseconds.
    ///
    /// Returns 0 if there is no fraction, and `nil` if the number of its digits is not 1 to 9.
    fileprivate mutating func fractionInMicroseconds() -> Int? {
        guard skip(".") else { return 0 }
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

    /// Reads an offset, in minutes east of UTC.
    fileprivate mutating func offsetInMinutes() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let isEast = skip("+")
        guard
            isEast || skip("-"),
            let hours = number(digits: 2), hours < 24, skip(":"),
            let minutes = number(digits: 2), minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (isEast ? 1 : -1)
    }
}
