import Keys
import Testing

@Suite struct ConstantTimeTests {
    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        ConstantTime.areEqual(left.span, right.span)
    }

    // The attack: wrong passwords, one after the other. A comparison that mixes up `|` and `^` accepts one in 256 of them.
    @Test func `two byte strings are equal only if every byte is`() {
        for last in UInt8.min...UInt8.max {
            for other in UInt8.min...UInt8.max {
                let (left, right) = ([0, last] as [UInt8], [other, last | other] as [UInt8])
                #expect(Self.areEqual(left, right) == (left == right), "\(left), \(right)")
                let (first, second) = ([last, 7] as [UInt8], [other, 7] as [UInt8])
                #expect(Self.areEqual(first, second) == (last == other))
            }
        }
        #expect(Self.areEqual([], []))
        #expect(!Self.areEqual([1], [1, 0]))
    }

    @Test func `two digests are equal only if every word is`() throws {
        func digest(_ words: [UInt64]) throws -> Digest {
            try #require(Digest(bytes: words.flatMap { word in withUnsafeBytes(of: word) { Array($0) } }))
        }
        let patterns: [UInt64] = [0, 1, 2, 3]
        let all = patterns.flatMap { first in patterns.map { [first, $0] } }
        for left in all {
            for right in all {
                #expect(try (digest(left + left) == digest(right + right)) == (left == right), "\(left), \(right)")
                #expect(try (digest(left + [5, 6]) == digest(right + [5, 6])) == (left == right), "\(left), \(right)")
                #expect(try (digest([5, 6] + left) == digest([5, 6] + right)) == (left == right), "\(left), \(right)")
            }
        }
    }
}
