/// The id of a trace: 128 bits, not all of them 0.
package struct TraceID: Sendable, Hashable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    /// Creates an id, or returns `nil` if all bits are 0.
    package init?(high: UInt64, low: UInt64) {
        guard high | low != 0 else { return nil }
        self.high = high
        self.low = low
    }

    /// Creates an id that no other trace has, with the random bits of the process in front.
    package static func make() -> TraceID {
        // The number of an id is never 0, so the initializer's condition holds.
        TraceID(unchecked: processBits, UniqueNumber.next())
    }

    private init(unchecked high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { Hexadecimal.text(high) + Hexadecimal.text(low) }

    private static let processBits = UInt64.random(in: .min ... .max)
}

/// The id of a span: 64 bits, not all of them 0.
package struct SpanID: Sendable, Hashable, CustomStringConvertible {
    let bits: UInt64

    /// Creates an id, or returns `nil` if all bits are 0.
    package init?(_ bits: UInt64) {
        guard bits != 0 else { return nil }
        self.bits = bits
    }

    /// Creates an id that no other span of the process has.
    package static func make() -> SpanID { SpanID(unchecked: UniqueNumber.next()) }

    private init(unchecked bits: UInt64) {
        self.bits = bits
    }

    /// 16 lower-case hexadecimal digits.
    package var description: String { Hexadecimal.text(bits) }
}
