import Endpoints
import Foundation
import Server
import Testing

@Suite struct RFC3339Tests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1), ("1969-12-31T23:59:59.999999Z", -1),
            ("2000-02-29T12:34:56.5+02:30", 951_818_696_500_000), ("2030-01-31t12:00:00z", 1_896_091_200_000_000),
            ("1970-01-01T00:00:00.123456789Z", 123_456), ("1970-01-01T01:00:00-00:30", 5_400_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
        ] as [(String, Int64)]
    )
    func `valid times are read`(text: String, microseconds: Int64) {
        #expect(RFC3339.microseconds(text) == microseconds)
    }

    @Test(arguments: [
        "", "2030-01-31", "2030-01-31T12:00:00", "2030-01-31 12:00:00Z", "2030-02-29T00:00:00Z", "2030-13-01T00:00:00Z",
        "2030-00-01T00:00:00Z", "2030-01-00T00:00:00Z", "2030-04-31T00:00:00Z", "2030-01-01T24:00:00Z",
        "2030-01-01T00:60:00Z", "2030-01-01T00:00:60Z", "2030-01-01T00:00:00.Z", "2030-01-01T00:00:00.1234567890Z",
        "2030-01-01T00:00:00+24:00", "2030-01-01T00:00:00+0100", "2030-01-01T00:00:00+01:60", "30-01-01T00:00:00Z",
        "2030-01-01T00:00:00Zx", "+030-01-01T00:00:00Z", "1900-02-29T00:00:00Z", "２030-01-01T00:00:00Z",
    ])
    func `everything else is refused`(text: String) {
        #expect(RFC3339.microseconds(text) == nil)
    }

    @Test func `what is written is read back, and Foundation agrees`() {
        let formatter = ISO8601DateFormatter()
        for day in stride(from: -700_000, through: 2_900_000, by: 331) {
            let microseconds = Int64(day) * 86_400_000_000 + Int64(day) * 7_654_321 % 86_400_000_000
            let text = RFC3339.text(microseconds: microseconds)
            #expect(RFC3339.microseconds(text) == microseconds)
            guard day > -140_000 else { continue }
            // Foundation's calendar is Julian before 1582, so that it is asked about later days only.
            let seconds = (Double(microseconds) / 1_000_000).rounded(.down)
            #expect(formatter.string(from: Date(timeIntervalSince1970: seconds)).prefix(19) == text.prefix(19))
        }
        #expect(RFC3339.text(microseconds: 1) == "1970-01-01T00:00:00.000001Z")
        #expect(RFC3339.text(microseconds: .max).hasPrefix("9999-12-31T23:59:59"))
        #expect(RFC3339.text(microseconds: .min) == "0000-01-01T00:00:00.000000Z")
    }
}
