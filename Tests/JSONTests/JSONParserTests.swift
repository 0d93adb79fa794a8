import JSON
import Testing

@Suite struct JSONParserTests {
    @Test(
        arguments: [
            ("null", nil), ("true", true), (" [ ] ", []), ("{}", [:]), ("\"\"", ""), ("0", 0), ("-12", -12),
            ("[1,[2,{\"a\":[]}]]", [1, [2, ["a": []]]]),
            ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDE00\"", "\"\\/\u{08}\u{0C}\n\r\té😀"),
            ("\"\\u0000\"", "\u{0}"), ("\"é😀\u{7F}\u{2028}\"", "é😀\u{7F}\u{2028}"),
            ("{\"b\":1,\"a\":2,\"\":3}", ["b": 1, "a": 2, "": 3]),
        ] as [(String, JSONValue)]
    )
    func `a valid text is parsed`(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text.utf8) == value)
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 3),
            ("nulL", .unexpectedByte, 3),
            ("[1,]", .unexpectedByte, 3), ("[1 2]", .unexpectedByte, 3), ("[", .unexpectedEnd, 1),
            ("]", .unexpectedByte, 0),
            ("{\"a\"}", .unexpectedByte, 4), ("{a:1}", .unexpectedByte, 1), ("{\"a\":1,}", .unexpectedByte, 7),
            ("{'a':1}", .unexpectedByte, 1), ("1 1", .trailingBytes, 2), ("// x", .unexpectedByte, 0),
            ("01", .invalidNumber, 0), ("-", .unexpectedEnd, 1), ("+1", .unexpectedByte, 0), ("1.", .unexpectedEnd, 2),
            (".5", .unexpectedByte, 0), ("1.x", .invalidNumber, 0), ("1e", .unexpectedEnd, 2),
            ("1e+,", .invalidNumber, 0),
            ("-01", .invalidNumber, 0), ("NaN", .unexpectedByte, 0), ("Infinity", .unexpectedByte, 0),
            ("\"", .unexpectedEnd, 1), ("\"\\", .unexpectedEnd, 2), ("\"\\x\"", .invalidEscape, 1),
            ("\"\\u12g4\"", .invalidEscape, 1), ("\"\\u12", .unexpectedEnd, 5),
            ("\"a\\ud800\"", .loneSurrogate, 2), ("\"\\udc00\"", .loneSurrogate, 1),
            ("\"\\ud800\\u0041\"", .loneSurrogate, 1),
            ("\"a\nb\"", .rawControlCharacter, 2), ("\"\\n\u{0}\"", .rawControlCharacter, 3),
            ("{\"a\":1,\"a\":2}", .duplicateMember, 7), ("{\"a\":1,\"\\u0061\":2}", .duplicateMember, 7),
            ("\u{FEFF}1", .unexpectedByte, 0),
        ] as [(String, JSONError.Reason, Int)]
    )
    func `an invalid text is refused at the byte of its fault`(text: String, reason: JSONError.Reason, offset: Int) {
        #expect(throws: JSONError(reason, at: offset)) { try JSONValue(parsing: text.utf8) }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0x5C, 0x6E, 0xFF, 0x22],
        ] as [[UInt8]]
    )
    func `bytes that are not UTF-8 are refused, never replaced`(bytes: [UInt8]) {
        let offset = bytes[1] == 0x5C ? 3 : 1
        #expect(throws: JSONError(.invalidUTF8, at: offset)) { try JSONValue(parsing: bytes) }
    }

    @Test func `nesting is limited`() throws {
        let limits = JSONLimits(maximumDepth: 3)
        _ = try JSONValue(parsing: "[[[1]]]".utf8, limits: limits)
        #expect(throws: JSONError(.tooDeep, at: 3)) { try JSONValue(parsing: "[[[[1]]]]".utf8, limits: limits) }
        let bomb = [UInt8](repeating: UInt8(ascii: "["), count: 60_000)
        #expect(throws: JSONError(.tooDeep, at: 32)) { try JSONValue(parsing: bomb) }
    }

    @Test func `size is limited`() throws {
        let limits = JSONLimits(maximumBytes: 4)
        _ = try JSONValue(parsing: "[12]".utf8, limits: limits)
        #expect(throws: JSONError(.tooLarge, at: 4)) { try JSONValue(parsing: "[123]".utf8, limits: limits) }
    }

    @Test func `names are compared by their bytes`() throws {
        // Swift's == treats the Kelvin sign as K, and the two spellings of é as equal.
        let value = try JSONValue(parsing: "{\"K\":1,\"\u{212A}\":2,\"\u{E9}\":3,\"e\u{301}\":4}".utf8)
        #expect(value["K"] == 1)
        #expect(value["\u{212A}"] == 2)
        #expect(value["e\u{301}"] == 4)
        #expect(value.object?.count == 4)
        #expect(JSONValue.string("K") != JSONValue.string("\u{212A}"))
    }

    @Test func `a duplicate name is found among many members`() {
        let members = (0..<5000).map { "\"m\($0)\":0" }
        let text = "{\((members + ["\"m7\":1"]).joined(separator: ","))}"
        #expect { try JSONValue(parsing: text.utf8, limits: JSONLimits(maximumBytes: 100_000)) } throws: {
            ($0 as? JSONError)?.reason == .duplicateMember
        }
    }

    @Test func `a collection that is not contiguous is parsed too`() throws {
        let backwards: ReversedCollection<[UInt8]> = Array("]2,1[".utf8).reversed()
        #expect(try JSONValue(parsing: backwards) == [1, 2])
    }
}
