/// The digits of tokens and workspace references, in ASCII order: `0-9`, `A-Z`, `a-z`.
enum Base62 {
    /// Returns the ASCII byte of the last base62 digit of `value`.
    static func lastDigit(of value: UInt64) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value % 62)
        return switch value {
        case 0..<10: 0x30 + value
        case 10..<36: 0x41 + (value - 10)
        default: 0x61 + (value - 36)
        }
    }

    /// Returns true if an ASCII byte is a base62 digit.
    static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// Returns `count` uniform digits from `generator`.
    ///
    /// Each digit takes six bits. The two values of six bits that are not a digit are skipped.
    static func random(count: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
        var digits: [UInt8] = []
        digits.reserveCapacity(count)
        while digits.count < count {
            var bits = generator.next() as UInt64
            for _ in 0..<10 where digits.count < count {
                let candidate = bits & 0x3F
                bits >>= 6
                if candidate < 62 { digits.append(lastDigit(of: candidate)) }
            }
        }
        return digits
    }

    /// Returns one digit for each 8 bytes of `bytes`: a big-endian number modulo 62.
    ///
    /// The bias of a digit is below 2^-58, so 32 digits are within 2^-53 of uniform.
    static func digits(from bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count - bytes.count % 8, by: 8)
            .map { start in
                let word = bytes[start..<start + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
                return lastDigit(of: word)
            }
    }
}
