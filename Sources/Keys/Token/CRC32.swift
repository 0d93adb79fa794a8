/// The CRC-32 of IEEE 802.3 as zlib computes it: reflected polynomial `0xEDB88320`, all ones in and out.
///
/// In a token it stops typos and garbage before any database is asked. It stops no attacker.
package enum CRC32 {
    private static let table: [UInt32] = (0..<256)
        .map { index in
            (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }

    package static func checksum(of bytes: borrowing Span<UInt8>) -> UInt32 {
        let table = table.span
        var register = UInt32.max
        for position in bytes.indices {
            register = register >> 8 ^ table[Int((register ^ UInt32(bytes[position])) & 0xFF)]
        }
        return ~register
    }
}
