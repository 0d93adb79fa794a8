import Foundation
import JSON
import Testing

/// Tests that compare the parser with Foundation's, which was written by others from the same RFC.
@Suite struct JSONOracleTests {
    /// The generator SplitMix64, which gives the same numbers in every run.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    private func randomValue(_ depth: Int, _ generator: inout Generator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 4 ? 5 : 7), using: &generator) {
        case 0: return nil
        case 1: return .bool(Bool.random(using: &generator))
        case 2:
            return .integer(
                Int64.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0..<64, using: &generator)
            )
        case 3:
            let bits = UInt64.random(in: .min ... .max, using: &generator)
            return JSONNumber(Double(bitPattern: bits)).map { .number($0) } ?? nil
        case 4: return .string(randomText(&generator))
        case 5:
            return .array(
                (0..<Int.random(in: 0..<5, using: &generator)).map { _ in randomValue(depth + 1, &generator) }
            )
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<30, using: &generator) {
                object[randomText(&generator)] = randomValue(depth + 4, &generator)
            }
            return .object(object)
        }
    }

    private func randomText(_ generator: inout Generator) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<12, using: &generator) {
            let limit: UInt32 = Bool.random(using: &generator) ? 0x80 : 0x11_0000
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) { scalars.append(scalar) }
        }
        return String(scalars)
    }

    @Test func `a written value is parsed back, and Foundation accepts it`() throws {
        var generator = Generator(state: 1)
        for _ in 0..<2000 {
            let value = randomValue(0, &generator)
            let text = value.text
            #expect(try JSONValue(parsing: text.utf8, limits: JSONLimits(maximumBytes: 1 << 20)) == value)
            _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        }
    }

    @Test func `random bytes never crash the parser`() {
        var generator = Generator(state: 2)
        let alphabet = Array("{}[]\",:\\u0019eE+-.truefalsn \n\u{7F}é".utf8) + [0, 0xFF, 0xC3, 0xED, 0xA0]
        for _ in 0..<50_000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &generator))
                .map { _ in
                    Bool.random(using: &generator)
                        ? alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                        : UInt8.random(in: .min ... .max, using: &generator)
                }
            guard let value = try? JSONValue(parsing: bytes) else { continue }
            #expect((try? JSONValue(parsing: value.text.utf8)) == value)
        }
    }

    @Test func `the parser and Foundation agree on changed texts`() {
        var generator = Generator(state: 3)
        let seeds = [
            #"{"token":"mks_live_x","scopes":["read:a","*"],"n":-12.5e+3,"t":true,"f":false,"z":null}"#,
            #"[[],{},"\u00e9\n\\",0,-0,1.0,{"a":{"b":[1,2,3]}}]"#,
        ]
        var accepted = 0
        for round in 0..<40_000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: position)
                case 1: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &generator)], at: position)
                default: bytes[position] = UInt8.random(in: 0x01...0x7F, using: &generator)
                }
            }
            let oracle = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            do throws(JSONError) {
                let value = try JSONValue(parsing: bytes)
                accepted += 1
                #expect(oracle != nil, "\(String(decoding: bytes, as: UTF8.self))")
                #expect(matches(value, oracle as Any), "\(String(decoding: bytes, as: UTF8.self))")
            } catch {
                // Foundation keeps one of two members with the same name, and accepts a comma before a bracket.
                let isTrailingComma =
                    error.reason == .unexpectedByte
                    && (bytes[error.offset] == UInt8(ascii: "]") || bytes[error.offset] == UInt8(ascii: "}"))
                if error.reason != .duplicateMember, !isTrailingComma {
                    #expect(oracle == nil, "\(error): \(String(decoding: bytes, as: UTF8.self))")
                }
            }
        }
        #expect(accepted > 1000)
    }

    private func matches(_ value: JSONValue, _ other: Any) -> Bool {
        switch value {
        case .null: return other is NSNull
        case .bool(let bool): return other as? Bool == bool
        case .number(let number): return (other as? NSNumber)?.doubleValue == number.double
        case .string(let text): return (other as? String).map { Array($0.utf8) == Array(text.utf8) } ?? false
        case .array(let elements):
            guard let others = other as? [Any], others.count == elements.count else { return false }
            return zip(elements, others).allSatisfy { matches($0, $1) }
        case .object(let object):
            guard let others = other as? [String: Any], others.count == object.count else { return false }
            return object.members.allSatisfy { member in others[member.name].map { matches(member.value, $0) } ?? false
            }
        }
    }
}
