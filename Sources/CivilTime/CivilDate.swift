/// A day of the proleptic Gregorian calendar.
struct CivilDate: Equatable {
    let year: Int
    let month: Int
    let day: Int

    /// Creates a date, or returns `nil` if the calendar does not have it between the years 0 and 9999.
    init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (1...12).contains(month) else { return nil }
        guard (1...Self.length(ofMonth: month, in: year)).contains(day) else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// Creates the date that is `days` days after 1970-01-01, or before it if the number is negative.
    init(daysSinceUnixEpoch days: Int) {
        // Years are counted from 1 March, so that a leap day is the last day of its year.
        let (era, dayOfEra) = (days + Self.daysFromMarchOfYear0).dividedDown(by: Self.daysInEra)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - Self.days(inYears: yearOfEra)
        // From March on, five months are 153 days long.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// The number of days from 1970-01-01 to the date, which is negative before 1970.
    var daysSinceUnixEpoch: Int {
        let (era, yearOfEra) = (month > 2 ? year : year - 1).dividedDown(by: 400)
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return era * Self.daysInEra + Self.days(inYears: yearOfEra) + dayOfYear - Self.daysFromMarchOfYear0
    }

    /// The day of the week: 0 is Sunday, 6 is Saturday.
    var weekday: Int { (daysSinceUnixEpoch + 4).dividedDown(by: 7).remainder }

    /// The calendar repeats after 400 years.
    private static let daysInEra = 146_097

    /// The days from 0000-03-01 to 1970-01-01.
    private static let daysFromMarchOfYear0 = 719_468

    private static func days(inYears years: Int) -> Int {
        365 * years + years / 4 - years / 100 + years / 400
    }

    private static func length(ofMonth month: Int, in year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int {
    /// Divides and rounds the quotient down, so that the remainder is never negative.
    func dividedDown(by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
