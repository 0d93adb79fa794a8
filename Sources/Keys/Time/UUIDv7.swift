public import FoundationEssentials

/// Makes version 7 UUIDs (RFC 9562, section 5.7), and reads and writes ids the one way the API spells them.
public enum UUIDv7 {
    /// The UUID of an instant and 10 bytes of randomness, of which 74 bits are used.
    ///
    /// The first 48 bits are the milliseconds since 1970, so ids sort by time. Instants before 1970 count as 1970.
    public static func make(at instant: Timestamp, random: (UInt16, UInt64)) -> UUID {
        let milliseconds = UInt64(max(0, instant.microsecondsSinceUnixEpoch / 1_000))
        let high = milliseconds << 16 | 0x7000 | UInt64(random.0 & 0x0FFF)
        let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
        return withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    /// The UUID of an instant and randomness from `generator`.
    public static func make(at instant: Timestamp, using generator: inout some RandomNumberGenerator) -> UUID {
        make(at: instant, random: (generator.next(), generator.next()))
    }

    /// The id that `text` spells, or `nil` unless it is 36 characters in lower case.
    ///
    /// Any version is taken: imported keys keep the ids they had.
    public static func parse(_ text: String) -> UUID? {
        let characters = text.utf8.span
        guard characters.count == 36 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        var offset = 0
        while offset < 36 {
            if hyphens.contains(offset) {
                guard characters[offset] == 0x2D else { return nil }
                offset += 1
            }
            guard
                let high = lowerCaseValue(characters[offset]),
                let low = lowerCaseValue(characters[offset + 1])
            else { return nil }
            bytes.append(high << 4 | low)
            offset += 2
        }
        return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    /// The 36 characters of `id` in lower case.
    public static func text(of id: UUID) -> String {
        String(unsafeUninitializedCapacity: 36) { characters in
            var offset = 0
            withUnsafeBytes(of: id.uuid) { bytes in
                for byte in bytes {
                    if hyphens.contains(offset) {
                        characters[offset] = 0x2D
                        offset += 1
                    }
                    characters[offset] = Hex.digit(byte >> 4)
                    characters[offset + 1] = Hex.digit(byte & 0xF)
                    offset += 2
                }
            }
            return offset
        }
    }

    /// When a version 7 UUID was made, to the millisecond; `nil` for any other version.
    public static func timestamp(of id: UUID) -> Timestamp? {
        let bytes = id.uuid
        guard bytes.6 >> 4 == 7, bytes.8 >> 6 == 2 else { return nil }
        let milliseconds = [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(0) { $0 << 8 | Int64($1) }
        return Timestamp(microsecondsSinceUnixEpoch: milliseconds * 1_000)
    }

    private static let hyphens = [8, 13, 18, 23]

    private static func lowerCaseValue(_ character: UInt8) -> UInt8? {
        (0x41...0x46).contains(character) ? nil : Hex.value(of: character)
    }
}
