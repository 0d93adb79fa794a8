extension UnsafeBufferPointer<UInt8> {
    /// Returns the first index from `start` on whose byte cannot stand in a JSON string as it is, or `count` if there is none.
    ///
    /// These bytes are control characters, the quotation mark and the backslash (RFC 8259, section 7). Eight bytes are tested
    /// at a time.
    func indexOfSpecialByte(from start: Int) -> Int {
        var index = start
        while index + 8 <= count {
            let word = UnsafeRawBufferPointer(self).loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let special = UInt64(littleEndian: word).specialBytes
            if special != 0 { return index + special.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count, self[index] >= 0x20, self[index] != 0x22, self[index] != 0x5C { index += 1 }
        return index
    }
}

extension UInt64 {
    /// Returns a word whose eight bytes are `byte`.
    private static func repeating(_ byte: UInt64) -> UInt64 { byte &* 0x0101_0101_0101_0101 }

    /// The high bit of each byte that is a control character, a quotation mark or a backslash.
    ///
    /// The lowest of the bits is exact. A borrow can set bits above it, which must not be used.
    fileprivate var specialBytes: UInt64 {
        let control = (self &- .repeating(0x20)) & ~self
        let quote = self ^ .repeating(0x22)
        let backslash = self ^ .repeating(0x5C)
        let equal = ((quote &- .repeating(0x01)) & ~quote) | ((backslash &- .repeating(0x01)) & ~backslash)
        return (control | equal) & .repeating(0x80)
    }
}
