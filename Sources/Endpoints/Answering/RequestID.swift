import Keys
import Synchronization

/// Ids of requests.
enum RequestID {
    /// Whether an id that a client chose may be used: 1 to 64 of the characters `[A-Za-z0-9._-]`, and not shaped like a token.
    ///
    /// Ids are kept in events and logs, where a token that was put into the wrong header must not end up.
    static func isAcceptable(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count), Redaction.redact(text) == text else { return false }
        return text.utf8.allSatisfy { byte in
            byte.isDigit || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    /// A new id in the form of a UUID of version 8 (RFC 9562 section 5.8).
    ///
    /// It has to be unique, not secret: a counter, scrambled so that neighbours look different, beside 60 random bits
    /// of the process. That saves every request a system call.
    static func make() -> String {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        let high = process & ~0xF000 | 0x8000
        let low = scramble(number) >> 2 | 0x8000_0000_0000_0000
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
    private static let counter = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    /// The finalizer of SplitMix64, a bijection.
    ///
    /// Two of its bits give way to the UUID's variant, so that among n ids of one process about n²/2⁶³ pairs are alike:
    /// one in a thousand years at a million requests a minute.
    private static func scramble(_ value: UInt64) -> UInt64 {
        var value = value &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
