import FoundationEssentials
import Keys
import TestSupport
import Testing

@Suite struct TimeTests {
    private func micros(_ text: String) -> Int64? { Timestamp(rfc3339: text)?.microsecondsSinceUnixEpoch }

    @Test func `a text names its instant`() {
        #expect(micros("1970-01-01T00:00:00Z") == 0)
        #expect(micros("2000-01-01T00:00:00Z") == 946_684_800_000_000)
        #expect(micros("2026-01-31T12:34:56.789012Z") == 1_769_862_896_789_012)
        #expect(micros("2024-02-29T23:59:59.5+01:30") == 1_709_245_799_500_000)
        #expect(micros("1969-12-31T23:59:59.999999Z") == -1)
        #expect(micros("2026-01-31T12:34:56.123456789Z") == 1_769_862_896_123_456)
        #expect(micros("2026-01-31T12:34:56-00:00") == 1_769_862_896_000_000)
        #expect(Timestamp(rfc3339: "0001-01-01T00:00:00Z") == .earliest)
        #expect(Timestamp(rfc3339: "9999-12-31T23:59:59.999999Z") == .latest)
        #expect(Timestamp(rfc3339: "0000-12-31T23:00:00-01:00") == .earliest)
        #expect(micros("2026-01-31t12:34:56Z") == 1_769_862_896_000_000)
        #expect(micros("2026-01-31T12:34:56z") == 1_769_862_896_000_000)
    }

    @Test(arguments: [
        "", "2026-01-31", "2026-01-31T12:34:56", "2026-01-31 12:34:56Z",
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2016-12-31T23:59:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01",
        "2026-1-1T00:00:00Z", "+2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00ZZ", "２０２６-01-01T00:00:00Z",
    ])
    func `a text that is no date and time is refused`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    // PostgreSQL has no year 0, and an offset can move an instant out of the years that RFC 3339 can write.
    @Test func `a text outside of the years 1 to 9999 is the nearest instant inside`() {
        for text in ["0000-01-01T00:00:00Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01"] {
            #expect(Timestamp(rfc3339: text) == .earliest)
        }
        #expect(Timestamp(rfc3339: "9999-12-31T23:59:59-00:01") == .latest)
    }

    @Test func `a text has three digits for whole milliseconds, and six for other instants`() {
        #expect(Timestamp(microsecondsSinceUnixEpoch: 0).rfc3339 == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(microsecondsSinceUnixEpoch: 1_769_862_896_789_000).rfc3339 == "2026-01-31T12:34:56.789Z")
        #expect(Timestamp(microsecondsSinceUnixEpoch: 1_769_862_896_789_012).rfc3339 == "2026-01-31T12:34:56.789012Z")
        #expect(Timestamp(microsecondsSinceUnixEpoch: -1).rfc3339 == "1969-12-31T23:59:59.999999Z")
        #expect(Timestamp.earliest.rfc3339 == "0001-01-01T00:00:00.000Z")
        #expect(Timestamp.latest.rfc3339 == "9999-12-31T23:59:59.999999Z")
    }

    @Test func `every instant is read back from its text, in every time zone`() {
        let range = Timestamp.earliest.microsecondsSinceUnixEpoch...Timestamp.latest.microsecondsSinceUnixEpoch
        forEachSeed(20_000) { seed, generator in
            let step: Int64 = generator.pick([1, 1_000, 1_000_000])
            let instant = Timestamp(
                microsecondsSinceUnixEpoch: Int64.random(in: range, using: &generator) / step * step
            )
            #expect(Timestamp(rfc3339: instant.rfc3339) == instant, "seed \(seed)")
            let offset = Int.random(in: -1_439...1_439, using: &generator)
            let shifted = instant + .seconds(60 * offset)
            if shifted - instant == .seconds(60 * offset) {
                let (hours, minutes) = (abs(offset) / 60, abs(offset) % 60)
                let zone =
                    "\(offset < 0 ? "-" : "+")\(hours < 10 ? "0" : "")\(hours):\(minutes < 10 ? "0" : "")\(minutes)"
                #expect(Timestamp(rfc3339: shifted.rfc3339.dropLast() + zone) == instant, "seed \(seed)")
            }
        }
    }

    @Test func `arithmetic stops at the earliest and the latest instant`() {
        #expect(Timestamp(microsecondsSinceUnixEpoch: .max) == .latest)
        #expect(Timestamp(microsecondsSinceUnixEpoch: .min) == .earliest)
        #expect(Timestamp.latest + .microseconds(1) == .latest)
        #expect(now + .seconds(Int64.max) == .latest)
        #expect(now - .seconds(Int64.max) == .earliest)
        #expect(now + .milliseconds(-1_500) - now == .milliseconds(-1_500))
        #expect(now - .milliseconds(250) < now)
    }

    @Test func `a UUID has the form of RFC 9562 and sorts by time`() throws {
        // RFC 9562, appendix A.6.
        let instant = try #require(Timestamp(rfc3339: "2022-02-22T14:22:22-05:00"))
        let example = UUIDv7.make(at: instant, random: (0x0CC3, 0x18C4_DC0C_0C07_398F))
        #expect(UUIDv7.text(of: example) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(UUIDv7.timestamp(of: example) == instant)
        forEachSeed(2_000) { seed, generator in
            let first = UUIDv7.make(at: now, using: &generator)
            let later = UUIDv7.make(at: now + .milliseconds(1), using: &generator)
            let text = UUIDv7.text(of: first)
            #expect(text == first.uuidString.lowercased() && UUIDv7.parse(text) == first, "seed \(seed)")
            #expect(text < UUIDv7.text(of: later), "seed \(seed)")
            #expect(text.dropFirst(14).first == "7", "seed \(seed)")
            #expect(text.dropFirst(19).first.map { "89ab".contains($0) } == true, "seed \(seed)")
            #expect(UUIDv7.timestamp(of: first) == now, "seed \(seed)")
        }
        #expect(
            UUIDv7.timestamp(of: UUIDv7.make(at: .earliest, random: (0, 0))) == Timestamp(microsecondsSinceUnixEpoch: 0)
        )
    }

    @Test(arguments: [
        "", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "017f22e279b0-7cc3--98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c0739é",
    ])
    func `an id in another spelling is refused`(text: String) {
        #expect(UUIDv7.parse(text) == nil)
    }
}
