/// A writer of ASCII text into memory of a known size.
///
/// The caller provides enough memory. Text that does not fit is dropped.
struct ASCIIWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>

    /// The number of bytes written so far.
    private(set) var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func append(_ byte: UInt8) {
        guard count < buffer.count else { return }
        buffer[count] = byte
        count += 1
    }

    mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends the last two decimal digits of a number that is not negative.
    mutating func append2(_ number: Int) {
        append(0x30 + UInt8(truncatingIfNeeded: number / 10 % 10))
        append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Appends the last four decimal digits of a number that is not negative.
    mutating func append4(_ number: Int) {
        append2(number / 100)
        append2(number % 100)
    }

    /// Appends a second of a day as `hh:mm:ss`.
    mutating func appendTime(_ second: Int) {
        append2(second / 3_600)
        append(0x3A)
        append2(second / 60 % 60)
        append(0x3A)
        append2(second % 60)
    }
}
