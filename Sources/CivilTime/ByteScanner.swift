/// A reader of ASCII text, from front to back.
struct ByteScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text.utf8[...] }

    /// True if no byte is left.
    var isAtEnd: Bool { rest.isEmpty }

    /// Consumes `text`, or returns false and consumes nothing if the rest does not begin with it.
    mutating func skip(_ text: StaticString) -> Bool {
        let bytes = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard rest.starts(with: bytes) else { return false }
        rest.removeFirst(bytes.count)
        return true
    }

    /// Consumes a decimal digit and returns its value, or `nil` if the next byte is not a digit.
    mutating func digit() -> Int? {
        guard let byte = rest.first, (0x30...0x39).contains(byte) else { return nil }
        rest.removeFirst()
        return Int(byte - 0x30)
    }

    /// Consumes exactly `count` decimal digits and returns their number, or `nil` if there are fewer digits.
    mutating func number(digits count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Consumes a run of ASCII letters and returns the index of the equal name, or `nil` if no name is equal.
    mutating func index(in names: [String]) -> Int? {
        let letters = rest.prefix { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        rest.removeFirst(letters.count)
        return names.firstIndex { $0.utf8.elementsEqual(letters) }
    }
}
