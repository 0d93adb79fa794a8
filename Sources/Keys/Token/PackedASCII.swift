/// Short ASCII text kept in the bytes of an integer, first character in the highest byte, zero where the text ends.
///
/// Token prefixes and workspace references are compared and hashed on every verification; as integers they cost no
/// allocation, and their order is the order of their text.
extension FixedWidthInteger {
    init(packing text: borrowing Span<UInt8>) {
        self = 0
        for position in 0..<Self.bitWidth / 8 {
            self = self << 8 | (position < text.count ? Self(text[position]) : 0)
        }
    }

    /// The packed bytes in the order of the text, without the zeros behind it.
    var packedBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.bitWidth / 8)
        for shift in stride(from: Self.bitWidth - 8, through: 0, by: -8) {
            let byte = UInt8(truncatingIfNeeded: self >> Self(shift))
            if byte == 0 { break }
            bytes.append(byte)
        }
        return bytes
    }

    var packedText: String { String(decoding: packedBytes, as: UTF8.self) }
}
