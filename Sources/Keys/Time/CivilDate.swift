/// A day of the proleptic Gregorian calendar.
struct CivilDate: Equatable {
    let year: Int
    let month: Int
    let day: Int

    /// The day, or `nil` where the calendar has none such between the years 0 and 9999.
    init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (1...12).contains(month) else { return nil }
        guard (1...Self.length(ofMonth: month, in: year)).contains(day) else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// The day that many days after 1970-01-01, for days from the year 0 on.
    init(daysSinceUnixEpoch days: Int) {
        // Years are counted from 1 March, so that a leap day is the last of its year; 400 years are 146 097 days.
        let sinceMarchOfYear0 = days + 719_468
        let era = sinceMarchOfYear0 / 146_097
        let dayOfEra = sinceMarchOfYear0 % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - Self.days(inYears: yearOfEra)
        // From March on, five months are 153 days long.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    var daysSinceUnixEpoch: Int {
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        // January and February of the year 0 belong to the March year -1; 400 years up and down keep the division
        // exact.
        let marchYear = year + 400 - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return Self.days(inYears: marchYear) + dayOfYear - 146_097 - 719_468
    }

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
