import FoundationEssentials
import MortiseClient
import Testing

@Suite struct TimeTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0.0), ("2030-01-31T12:34:56.5Z", 1_896_093_296.5),
        ("2000-02-29T23:59:59Z", 951_868_799), ("2030-01-31T14:34:56+02:00", 1_896_093_296),
        ("1969-12-31T23:59:59.25Z", -0.75), ("0001-01-01T00:00:00Z", -62_135_596_800),
    ])
    func `a time of RFC 3339 is read`(_ text: String, _ seconds: Double) {
        #expect(Date(rfc3339: text)?.timeIntervalSince1970 == seconds)
    }

    @Test(arguments: [
        "", "2030-01-31", "2030-01-31T12:34:56", "2030-13-01T00:00:00Z", "2030-01-31T12:34:56.Z", "2030-01-31 12:34:56",
        "2030-01-31T12:34:56+0200", "２030-01-31T12:34:56Z", "2030-02-31T00:00:00Z", "2030-01-31T12:34:60Z",
        "2030-01-31T12:34:56+99:99",
    ])
    func `what is no time is refused`(_ text: String) {
        #expect(Date(rfc3339: text) == nil)
    }

    @Test func `a time survives the way there and back`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let micros = Int64.random(in: -60_000_000_000...250_000_000_000, using: &generator) * 1_000_000 + 123_456
            let date = Date(timeIntervalSince1970: Double(micros / 1_000_000))
            #expect(Date(rfc3339: date.rfc3339) == date, "\(date.rfc3339)")
        }
        #expect(Date(timeIntervalSince1970: 951_868_799.25).rfc3339 == "2000-02-29T23:59:59.250000Z")
        #expect(Date(timeIntervalSince1970: -1).rfc3339 == "1969-12-31T23:59:59Z")
        #expect(Date.distantFuture.rfc3339.hasSuffix("Z"))
        #expect(Date(timeIntervalSince1970: .infinity).rfc3339 == "9999-12-31T23:59:59Z")
    }
}
