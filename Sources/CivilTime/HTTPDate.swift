/// The date format of HTTP fields (RFC 9110, section 5.6.7): whole seconds in GMT.
///
/// A recipient must accept three formats, and the parser does. ``text(seconds:)`` writes the first.
///
/// - `Sun, 06 Nov 1994 08:49:37 GMT`, the only format that a sender may generate.
/// - `Sunday, 06-Nov-94 08:49:37 GMT`, the obsolete format of RFC 850.
/// - `Sun Nov  6 08:49:37 1994`, the format of the C function `asctime`.
///
/// Names are compared in their case, and the day of the week must be the date's. The leap second `23:59:60` counts as the
/// first second of the next day.
package enum HTTPDate {
    /// Reads a date in any of the three formats.
    ///
    /// - Parameters:
    ///   - text: The value of the field, without white space around it.
    ///   - now: The current time in seconds since 1970. It completes a year of two digits, which is never more than 50
    ///     years in the future.
    /// - Returns: The instant in seconds since 1970, or `nil` if `text` is not a date of HTTP.
    package static func seconds(_ text: String, now: Int) -> Int? {
        text.utf8.contains(0x2C) ? secondsAfterComma(text, now: now) : secondsOfASCTime(text)
    }

    /// Reads the two formats that have a comma after the day of the week.
    private static func secondsAfterComma(_ text: String, now: Int) -> Int? {
        var scanner = ByteScanner(text)
        guard let weekday = scanner.index(in: weekdays + longWeekdays), scanner.skip(", ") else { return nil }
        guard let day = scanner.number(digits: 2) else { return nil }
        let isRFC850 = weekday >= weekdays.count
        let separator: StaticString = isRFC850 ? "-" : " "
        guard
            scanner.skip(separator), let month = scanner.index(in: months), scanner.skip(separator),
            let year = scanner.number(digits: isRFC850 ? 2 : 4), scanner.skip(" "),
            let time = scanner.time(), scanner.skip(" GMT"), scanner.isAtEnd
        else { return nil }
        let years = isRFC850 ? candidates(forYear: year, now: now) : [year]
        let dates = years.compactMap { CivilDate(year: $0, month: month + 1, day: day) }
        let limit = isRFC850 ? min(now, .max - fiftyYears) + fiftyYears : .max
        guard let date = dates.first(where: { $0.daysSinceUnixEpoch * 86_400 + time <= limit }) else { return nil }
        return seconds(date, time, weekday: weekday % weekdays.count)
    }

    private static func secondsOfASCTime(_ text: String) -> Int? {
        var scanner = ByteScanner(text)
        guard
            let weekday = scanner.index(in: weekdays), scanner.skip(" "),
            let month = scanner.index(in: months), scanner.skip(" "),
            let day = scanner.skip(" ") ? scanner.digit() : scanner.number(digits: 2), scanner.skip(" "),
            let time = scanner.time(), scanner.skip(" "),
            let year = scanner.number(digits: 4), scanner.isAtEnd,
            let date = CivilDate(year: year, month: month + 1, day: day)
        else { return nil }
        return seconds(date, time, weekday: weekday)
    }

    private static func seconds(_ date: CivilDate, _ time: Int, weekday: Int) -> Int? {
        date.weekday == weekday ? date.daysSinceUnixEpoch * 86_400 + time : nil
    }

    /// Returns the next year with these last two digits, and the one a century before it.
    private static func candidates(forYear lastDigits: Int, now: Int) -> [Int] {
        let thisYear = CivilDate(daysSinceUnixEpoch: now.dividedDown(by: 86_400).quotient).year
        let next = thisYear + (lastDigits - thisYear).dividedDown(by: 100).remainder
        return [next, next - 100]
    }

    /// The seconds of 50 years of the mean length of the Gregorian calendar.
    private static let fiftyYears = 1_577_847_600

    static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

    private static let longWeekdays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]

    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

extension ByteScanner {
    /// Reads `hh:mm:ss`, in seconds from the beginning of the day.
    fileprivate mutating func time() -> Int? {
        guard
            let hour = number(digits: 2), hour < 24, skip(":"),
            let minute = number(digits: 2), minute < 60, skip(":"),
            let second = number(digits: 2), second < 60 || (hour, minute, second) == (23, 59, 60)
        else { return nil }
        return (hour * 60 + minute) * 60 + second
    }
}
