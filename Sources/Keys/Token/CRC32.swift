/// The CRC-32 of IEEE 802.3 and zlib: the reflected polynomial `0xEDB88320`, with all bits set at the start and inverted at
/// the end.
///
/// In a token the checksum stops typing errors and garbage before a database is asked. It does not stop an attacker.
package enum CRC32 {
    /// Eight tables of 256 entries, one after the other, so that eight bytes are read at a time.
    ///
    /// The entry of table `n` for a byte is the register after that byte and `n` bytes of zero.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256)
            .map { index in
                (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
            }
        for position in 256..<2_048 {
            let previous = tables[position - 256]
            tables.append(previous >> 8 ^ tables[Int(previous & 0xFF)])
        }
        return tables
    }()

    /// Returns the checksum of `bytes`.
    package static func checksum(of bytes: borrowing Span<UInt8>) -> UInt32 {
        let tables = tables.span
        let raw = bytes.bytes
        var register = UInt32.max
        var offset = 0
        while offset + 8 <= raw.byteCount {
            let word = raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let mixed = UInt64(littleEndian: word) ^ UInt64(register)
            // The first byte has the most bytes after it. Every index is below 2,048, as a table has 256 entries.
            func entry(_ byte: UInt64) -> UInt32 {
                tables[unchecked: Int(truncatingIfNeeded: (7 - byte) << 8 | (mixed >> (8 * byte) & 0xFF))]
            }
            register = entry(0) ^ entry(1) ^ entry(2) ^ entry(3) ^ entry(4) ^ entry(5) ^ entry(6) ^ entry(7)
            offset += 8
        }
        while offset < raw.byteCount {
            register = register >> 8 ^ tables[Int((register ^ UInt32(bytes[offset])) & 0xFF)]
            offset += 1
        }
        return ~register
    }
}
