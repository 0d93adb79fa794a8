// Short ASCII text in the bytes of an integer: the first character in the highest byte, zeros after the last character.
//
// Prefixes, references and names are compared and hashed on every verification. As integers they need no allocation, and
// integers sort like their texts.
extension FixedWidthInteger where Self: BitwiseCopyable {
    /// Packs a text.
    ///
    /// Characters that do not fit are dropped.
    init(packing text: borrowing Span<UInt8>) {
        let size = Self.bitWidth / 8
        if text.count >= size {
            self = Self(bigEndian: text.bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Self.self))
            return
        }
        let count = text.count
        self = 0
        for position in 0..<count { self = self << 8 | Self(truncatingIfNeeded: text[position]) }
        self <<= Self(Self.bitWidth - 8 * count)
    }

    /// The characters of the text.
    var packedBytes: [UInt8] { Array(packedText.utf8) }

    /// The text.
    var packedText: String {
        String(unsafeUninitializedCapacity: Self.bitWidth / 8) { buffer in
            var rest = self
            var count = 0
            while rest != 0 {
                buffer[count] = UInt8(truncatingIfNeeded: rest >> Self(Self.bitWidth - 8))
                rest <<= 8
                count += 1
            }
            return count
        }
    }
}
