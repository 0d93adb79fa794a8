import CivilTime
import Foundation
import TestSupport
import Testing

@Suite struct RFC3339Tests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1), ("1969-12-31T23:59:59.999999Z", -1),
            ("2000-01-01T00:00:00Z", 946_684_800_000_000), ("2026-01-31T12:34:56.789012Z", 1_769_862_896_789_012),
            ("2000-02-29T12:34:56.5+02:30", 951_818_696_500_000), ("1970-01-01T01:00:00-00:30", 5_400_000_000),
            ("2024-02-29T23:59:59.5+01:30", 1_709_245_799_500_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ] as [(String, Int64)]
    )
    func `a text names its instant`(text: String, microseconds: Int64) {
        #expect(RFC3339.microseconds(text) == microseconds)
    }

    // RFC 3339 leaves these to the reader, or programs disagree about them. `nil` is a refusal.
    @Test(
        arguments: [
            // Section 5.6: "T" and "Z" may be in lower case. The space of its note is refused.
            ("2030-01-31t12:00:00z", 1_896_091_200_000_000), ("2030-01-31T12:00:00z", 1_896_091_200_000_000),
            ("2026-01-31t12:34:56Z", 1_769_862_896_000_000), ("2026-01-31 12:34:56Z", nil),
            // The year 0 exists in RFC 3339, and an offset may lead out of the four digits.
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000), ("0000-12-31T23:59:59Z", -62_135_596_801_000_000),
            ("0000-01-01T00:00:00+23:59", -62_167_305_540_000_000),
            ("9999-12-31T23:59:59-00:01", 253_402_300_859_000_000),
            // Months have their own lengths.
            ("2026-02-29T00:00:00Z", nil), ("2026-02-31T00:00:00Z", nil), ("1900-02-29T00:00:00Z", nil),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("2026-04-31T00:00:00Z", nil),
            // Section 5.7 knows leap seconds. POSIX time and PostgreSQL do not. This one happened.
            ("2016-12-31T23:59:60Z", nil), ("2030-01-01T00:00:60Z", nil),
            // ISO 8601's other name of midnight is not in RFC 3339.
            ("2026-01-01T24:00:00Z", nil),
            // Digits after the microsecond are dropped, and more than nine are refused.
            ("2026-01-31T12:34:56.123456789Z", 1_769_862_896_123_456), ("2026-01-01T00:00:00.1234567890Z", nil),
            // Section 4.3: the local offset is unknown, the instant is not.
            ("2026-01-31T12:34:56-00:00", 1_769_862_896_000_000),
            // An offset has two digits for hours and for minutes, and both have their limits.
            ("2026-01-01T00:00:00+24:00", nil), ("2026-01-01T00:00:00+01:60", nil), ("2026-01-01T00:00:00+99:99", nil),
        ] as [(String, Int64?)]
    )
    func `readers disagree, and this one does as its documents say`(text: String, microseconds: Int64?) {
        #expect(RFC3339.microseconds(text) == microseconds)
    }

    @Test(arguments: [
        "", "2026-01-31", "2026-01-31T12:34:56", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01", "2026-1-1T00:00:00Z", "30-01-01T00:00:00Z",
        "+2026-01-01T00:00:00Z", "+030-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Zx", "２０２６-01-01T00:00:00Z", "２030-01-01T00:00:00Z",
        "2026-01-01T00:00:00\u{212A}", "2026-01-01T00:00:00Z\u{0}",
    ])
    func `a text that is no date and time is refused`(text: String) {
        #expect(RFC3339.microseconds(text) == nil)
    }

    @Test func `a text has the digits that were asked for, and more where they are needed`() {
        func texts(_ microseconds: Int64) -> [String] {
            [.none, .three, .six].map { RFC3339.text(microseconds: microseconds, digits: $0) }
        }
        #expect(texts(0) == ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000000Z"])
        let halves = ["1970-01-01T00:00:00.500000Z", "1970-01-01T00:00:00.500Z", "1970-01-01T00:00:00.500000Z"]
        #expect(texts(500_000) == halves)
        #expect(texts(-1) == Array(repeating: "1969-12-31T23:59:59.999999Z", count: 3))
        #expect(texts(.max) == Array(repeating: "9999-12-31T23:59:59.999999Z", count: 3))
        #expect(texts(.min) == ["0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00.000000Z"])
    }

    @Test func `a written text is read back, and Foundation agrees`() {
        let formatter = ISO8601DateFormatter()
        for day in stride(from: -700_000, through: 2_900_000, by: 331) {
            let microseconds = Int64(day) * 86_400_000_000 + Int64(day) * 7_654_321 % 86_400_000_000
            let text = RFC3339.text(microseconds: microseconds, digits: .six)
            #expect(RFC3339.microseconds(text) == microseconds)
            guard day > -140_000 else { continue }
            // Foundation's calendar is Julian before 1582, so it is asked about later days only.
            let seconds = (Double(microseconds) / 1_000_000).rounded(.down)
            #expect(formatter.string(from: Date(timeIntervalSince1970: seconds)).prefix(19) == text.prefix(19))
        }
    }

    @Test func `texts of six digits sort like their instants`() {
        var generator = SplitMix64(seed: 1)
        let range: ClosedRange<Int64> = -62_167_219_200_000_000...253_402_300_799_999_999
        for _ in 0..<5_000 {
            let instants = (0..<2).map { _ in Int64.random(in: range, using: &generator) }.sorted()
            let texts = instants.map { RFC3339.text(microseconds: $0, digits: .six) }
            #expect(texts == texts.sorted() && texts.allSatisfy { $0.utf8.count == 27 })
        }
    }

    @Test func `every day of four centuries follows the one before it`() {
        // The calendar repeats after 400 years; the oracle counts days by hand.
        var (year, month, day) = (1_900, 1, 1)
        for number in -25_567..<(-25_567 + 146_097) {
            func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
            let text = RFC3339.text(microseconds: Int64(number) * 86_400_000_000, digits: .none)
            #expect(text == "\(year)-\(padded(month))-\(padded(day))T00:00:00Z")
            #expect(RFC3339.microseconds(text) == Int64(number) * 86_400_000_000)
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] {
                (day, month) = (1, month + 1)
            }
            if month > 12 { (month, year) = (1, year + 1) }
        }
    }
}
