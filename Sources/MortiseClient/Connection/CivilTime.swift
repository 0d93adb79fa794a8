package import FoundationEssentials

/// The calendar of the wire: times in UTC, as days since 1970 and seconds.
enum CivilTime {
    /// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        // Years begin in March, so that the leap day is the last of its year.
        let (y, m) = month < 3 ? (year - 1, month + 9) : (year, month - 3)
        let era = (y >= 0 ? y : y - 399) / 400
        let inEra = y - era * 400
        return era * 146_097 + inEra * 365 + inEra / 4 - inEra / 100 + (m * 306 + 5) / 10 + day - 1 - 719_468
    }

    /// The date that is that many days after 1970-01-01.
    static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, day)
    }
}

extension Date {
    /// Reads a time as RFC 3339 writes it; `nil` for anything else.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            return bytes[range]
                .reduce(0) { total, byte in
                    guard let total, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                    return total * 10 + Int(byte - UInt8(ascii: "0"))
                }
        }
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        var fraction = 0.0
        if bytes[position] == UInt8(ascii: ".") {
            let end = bytes[(position + 1)...].firstIndex { $0 < UInt8(ascii: "0") || $0 > UInt8(ascii: "9") }
            guard let end, end > position + 1 else { return nil }
            fraction = Double("0." + String(decoding: bytes[(position + 1)..<end], as: UTF8.self)) ?? 0
            position = end
        }
        var offset = 0
        if bytes.count - position == 1, bytes[position] | 0x20 == UInt8(ascii: "z") {
            offset = 0
        } else if bytes.count - position == 6, bytes[position + 3] == UInt8(ascii: ":"),
            let hours = number((position + 1)..<(position + 3)), let minutes = number((position + 4)..<(position + 6)),
            bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
        {
            offset = (hours * 60 + minutes) * (bytes[position] == UInt8(ascii: "+") ? 60 : -60)
        } else {
            return nil
        }
        let seconds = CivilTime.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(timeIntervalSince1970: Double(seconds) + fraction)
    }

    /// The time as RFC 3339 writes it, in UTC and to the microsecond, which is all that the server keeps.
    package var rfc3339: String {
        // A date that no four-digit year has is the last or first one that has: the server refuses it by name.
        let interval = timeIntervalSince1970.isNaN ? 0 : timeIntervalSince1970
        let limited = min(max(interval, -62_135_596_800), 253_402_300_799)
        let micros = Int((limited * 1_000_000).rounded())
        let seconds = micros.quotientRoundedDown(by: 1_000_000)
        let days = seconds.quotientRoundedDown(by: 86_400)
        let (year, month, day) = CivilTime.date(days)
        let second = seconds - days * 86_400
        let date = "\(year.padded(4))-\(month.padded(2))-\(day.padded(2))"
        let clock = "\((second / 3600).padded(2)):\((second / 60 % 60).padded(2)):\((second % 60).padded(2))"
        let rest = micros - seconds * 1_000_000
        return "\(date)T\(clock)\(rest == 0 ? "" : "." + rest.padded(6))Z"
    }
}

extension Int {
    fileprivate func quotientRoundedDown(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    fileprivate func padded(_ width: Int) -> String {
        let text = String(self)
        return String(repeating: "0", count: Swift.max(0, width - text.count)) + text
    }
}
