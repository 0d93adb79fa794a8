import JSON
import Testing

@Suite struct JSONNumberTests {
    private func number(_ text: String) throws -> JSONNumber {
        try #require(try JSONValue(parsing: text.utf8).number)
    }

    @Test(arguments: [
        "0", "-0", "1.10", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1E5", "1e-7", "1e400",
        "123456789012345678901234567890.5",
    ])
    func `a number keeps its spelling`(text: String) throws {
        #expect(try JSONValue(parsing: text.utf8).text == text)
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("1.0", 1), ("1e3", 1000), ("1.5e1", 15), ("100e-2", 1),
            ("-9223372036854775808", .min),
            ("9223372036854775807", .max), ("1.5", nil), ("1e-1", nil), ("9223372036854775808", nil), ("1e300", nil),
            ("1e-400", nil), ("1.00000000000000000001", nil), ("10000000000000000000001e-22", nil), ("0.0", 0),
            ("0e5", 0), ("0e-5", 0), ("0.00", 0), ("0e-9223372036854775808", 0), ("0.0e-9223372036854775808", 0),
            ("0e9223372036854775808", 0), ("1e-9223372036854775808", nil), ("100e-9223372036854775808", nil),
        ] as [(String, Int64?)]
    )
    func `an integer is recognized in every spelling`(text: String, value: Int64?) throws {
        #expect(try number(text).int64 == value)
    }

    @Test(
        arguments: [
            ("1.5", 1.5), ("1e400", nil), ("-1e400", nil), ("1e-400", nil), ("0e-400", 0), ("0.1", 0.1), ("3", 3),
        ] as [(String, Double?)]
    )
    func `a double neither overflows nor becomes zero`(text: String, value: Double?) throws {
        #expect(try number(text).double == value)
    }

    @Test(
        arguments: [
            ("0", true), ("-9223372036854775808", true), ("1.5e10", true), ("1e-40", true), ("1e60", true),
            ("1e64", false), ("1e-64", false), ("1e308", false), ("1e400", false), ("0e-9223372036854775808", false),
            ("0e9223372036854775808", false), (String(repeating: "9", count: 64), true),
            (String(repeating: "9", count: 65), false), ("0." + String(repeating: "1", count: 63), false),
        ] as [(String, Bool)]
    )
    func `a number is storable if it is short without an exponent`(text: String, isStorable: Bool) throws {
        #expect(try number(text).isStorable == isStorable)
    }

    @Test func `infinity and NaN are not numbers`() {
        #expect(JSONNumber(Double.nan) == nil)
        #expect(JSONNumber(Double.infinity) == nil)
        #expect(JSONNumber(0.1)?.text == "0.1")
    }
}
