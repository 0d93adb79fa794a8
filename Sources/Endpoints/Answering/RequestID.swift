import Traces

/// The ids of requests.
enum RequestID {
    /// Returns true if an id that a client chose has 1 to 64 of the characters `[A-Za-z0-9._-]`.
    static func isAcceptable(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count) else { return false }
        return text.utf8.allSatisfy { byte in
            byte.isDigit || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    /// Returns a new id in the form of a UUID of version 8 (RFC 9562 section 5.8).
    ///
    /// An id has to be unique and need not be secret. It has 60 random bits of the process and 62 bits of a unique number, so
    /// that among n ids of one process about n²/2⁶³ pairs are equal.
    static func make() -> String {
        let high = process & ~0xF000 | 0x8000
        let low = UniqueNumber.next() >> 2 | 0x8000_0000_0000_0000
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for shift in stride(from: 120, through: 0, by: -8) {
                if position == 8 || position == 13 || position == 18 || position == 23 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let byte = UInt8(truncatingIfNeeded: shift >= 64 ? high >> (shift - 64) : low >> shift)
                buffer[position] = hexDigit(byte >> 4)
                buffer[position + 1] = hexDigit(byte & 0x0F)
                position += 2
            }
            return position
        }
    }

    private static let process = UInt64.random(in: .min ... .max)

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
