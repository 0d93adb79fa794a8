import JSON
import Testing

@Suite struct JSONWriterTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `commas separate members and elements`() {
        let result = text { writer in
            writer.object {
                $0.member("a", 1)
                $0.object("b") { _ in }
                $0.member("c", ["x", "y"])
                $0.member("d", [String]())
                $0.key("e")
                $0.beginArray()
                $0.object { $0.member("f", true) }
                $0.value(2.5)
                $0.endArray()
                $0.member("g", JSONValue.array([nil, ["h": -3]]))
            }
        }
        #expect(result == #"{"a":1,"b":{},"c":["x","y"],"d":[],"e":[{"f":true},2.5],"g":[null,{"h":-3}]}"#)
    }

    @Test func `an absent value is written as null`() {
        #expect(text { $0.object { $0.member("a", String?.none) } } == #"{"a":null}"#)
        #expect(text { $0.object { $0.member("a", nil) } } == #"{"a":null}"#)
        #expect(text { $0.value(Double.nan) } == "null")
    }

    @Test func `only characters that must be escaped are escaped`() throws {
        let all = String(String.UnicodeScalarView((0..<0x80).map { Unicode.Scalar(UInt8($0)) })) + "é😀\u{2028}"
        let written = text { $0.value(all) }
        #expect(written.hasPrefix(#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e"#))
        #expect(written.contains(##" !\"#$%&'()*+,-./0"##))
        #expect(written.contains(#"[\\]"#))
        #expect(written.hasSuffix("\u{7F}é😀\u{2028}\""))
        #expect(try JSONValue(parsing: written.utf8) == .string(all))
    }

    // Eight bytes are tested at a time: a byte must be found at every position, beside every other.
    @Test func `a character is escaped at every position`() throws {
        for length in 0...20 {
            for position in 0..<max(length, 1) {
                for special in ["\"", "\\", "\u{1}", "\u{1F}"] {
                    for filler in ["a", " ", "\u{7F}", "!", "#", "[", "]", "é"] {
                        let rest = max(length - position - 1, 0)
                        let string =
                            String(repeating: filler, count: position) + special
                            + String(repeating: filler, count: rest) + special
                        let written = text { $0.value(string) }
                        #expect(try JSONValue(parsing: written.utf8) == .string(string))
                        #expect(written.utf8.filter { $0 == 0x5C }.count == (special == "\\" ? 4 : 2))
                    }
                }
            }
        }
    }

    @Test(arguments: [0, 7, -7, 10, .max, .min] as [Int64])
    func `an integer is written with all its digits`(value: Int64) {
        #expect(text { $0.value(value) } == "\(value)")
    }

    @Test func `stored JSON is written as it is`() {
        #expect(
            text {
                $0.object {
                    $0.key("m"); $0.value(rawJSON: "{\"x\" : 1}".utf8); $0.member("n", 1)
                }
            }
                == #"{"m":{"x" : 1},"n":1}"#
        )
    }
}
