import CivilTime
import Foundation
import TestSupport
import Testing

@Suite struct HTTPDateTests {
    /// 2026-03-01T12:00:00Z.
    private static let now = 1_772_366_400

    @Test(arguments: [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799), ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
        ("Sun, 01 Mar 2026 12:00:00 GMT", now),
    ])
    func `an IMF-fixdate is read, and written the same`(_ text: String, _ seconds: Int) {
        #expect(HTTPDate.seconds(text, now: Self.now) == seconds)
        #expect(HTTPDate.text(seconds: seconds) == text)
    }

    // RFC 9110, section 5.6.7: a recipient MUST accept all three formats.
    @Test(arguments: [
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777), ("Sun Nov  6 08:49:37 1994", 784_111_777),
        ("Tuesday, 29-Feb-00 23:59:59 GMT", 951_868_799), ("Tue Feb 29 23:59:59 2000", 951_868_799),
    ])
    func `the obsolete formats are read`(_ text: String, _ seconds: Int) {
        #expect(HTTPDate.seconds(text, now: Self.now) == seconds)
    }

    @Test(
        arguments: [
            // 50 years from now, and a day later: that is a century earlier.
            ("Saturday, 29-Feb-76 12:00:00 GMT", 3_350_203_200), ("Monday, 08-Mar-76 12:00:00 GMT", 195_134_400),
            // The week has its days on other dates a century earlier, so only one of the two is a date at all.
            ("Saturday, 31-Dec-99 23:59:59 GMT", nil), ("Friday, 31-Dec-99 23:59:59 GMT", 946_684_799),
        ] as [(String, Int?)]
    )
    func `a year of two digits is at most 50 years ahead`(_ text: String, _ seconds: Int?) {
        #expect(HTTPDate.seconds(text, now: Self.now) == seconds)
    }

    @Test func `a leap second is the first second of the next day`() {
        #expect(HTTPDate.seconds("Sat, 31 Dec 2016 23:59:60 GMT", now: Self.now) == 1_483_228_800)
        #expect(HTTPDate.seconds("Sat, 31 Dec 2016 22:59:60 GMT", now: Self.now) == nil)
    }

    @Test(arguments: [
        "", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Mon, 06 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sun Nov 06 08:49:37 1994 GMT", "Sunday Nov  6 08:49:37 1994",
        "Wed, 30 Feb 2000 00:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 November 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "784111777",
    ])
    func `a text that is no date of HTTP is refused`(_ text: String) {
        #expect(HTTPDate.seconds(text, now: Self.now) == nil)
    }

    @Test func `every date is read back, and Foundation agrees`() {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        var generator = SplitMix64(seed: 1)
        for _ in 0..<2_000 {
            let seconds = Int.random(in: -62_167_219_200...253_402_300_799, using: &generator)
            let text = HTTPDate.text(seconds: seconds)
            #expect(HTTPDate.seconds(text, now: Self.now) == seconds, "\(text)")
            // Foundation's calendar is Julian before 1582.
            guard seconds > -12_000_000_000 else { continue }
            #expect(formatter.string(from: Date(timeIntervalSince1970: Double(seconds))) == text)
        }
    }

    // A header is another's text. No value of it, and no clock, may stop the program.
    @Test func `no text and no clock traps`() {
        var generator = SplitMix64(seed: 2)
        let seeds = [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ]
        for _ in 0..<20_000 {
            var bytes = Array(generator.pick(seeds).utf8)
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let position = Int.random(in: bytes.indices, using: &generator)
                bytes[position] = UInt8.random(in: 0x20...0x7E, using: &generator)
            }
            let now = generator.pick([0, Self.now, .min, .max, Int.random(in: .min ... .max, using: &generator)])
            let text = String(decoding: bytes, as: UTF8.self)
            guard let seconds = HTTPDate.seconds(text, now: now) else { continue }
            #expect(HTTPDate.seconds(HTTPDate.text(seconds: seconds), now: now) == seconds, "\(text)")
        }
        #expect(HTTPDate.text(seconds: .max) == "Fri, 31 Dec 9999 23:59:59 GMT")
        #expect(HTTPDate.text(seconds: .min) == "Sat, 01 Jan 0000 00:00:00 GMT")
    }
}
