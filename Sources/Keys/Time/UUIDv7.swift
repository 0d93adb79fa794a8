public import FoundationEssentials

/// Creates UUIDs of version 7 (RFC 9562, section 5.7), and reads and writes ids in the spelling of the API.
public enum UUIDv7 {
    /// An id before all others, from which a list in the order of ids begins.
    package static let beforeAll = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    /// Creates a UUID from an instant and 74 of 80 random bits.
    ///
    /// The first 48 bits are the milliseconds since 1970, so ids sort by time. An instant before 1970 counts as 1970.
    ///
    /// - Parameters:
    ///   - instant: The instant.
    ///   - random: 80 random bits. The 4 highest bits of the first number and the 2 highest bits of the second are not used.
    /// - Returns: The UUID.
    public static func make(at instant: Timestamp, random: (UInt16, UInt64)) -> UUID {
        let milliseconds = UInt64(max(0, instant.microsecondsSinceUnixEpoch / 1_000))
        let high = milliseconds << 16 | 0x7000 | UInt64(random.0 & 0x0FFF)
        let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
        return withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    /// Creates a UUID from an instant and random bits of `generator`.
    ///
    /// - Parameters:
    ///   - instant: The instant, in whole milliseconds. One before 1970 counts as 1970.
    ///   - generator: The source of randomness.
    /// - Returns: The UUID.
    public static func make(at instant: Timestamp, using generator: inout some RandomNumberGenerator) -> UUID {
        make(at: instant, random: (generator.next(), generator.next()))
    }

    /// Returns the id that `text` spells, or `nil` unless it has 36 characters in lower case.
    ///
    /// Every version is accepted, because imported keys keep their ids.
    public static func parse(_ text: String) -> UUID? {
        let characters = text.utf8.span
        guard characters.count == 36 else { return nil }
        var bits: UInt128 = 0
        for offset in characters.indices {
            if isHyphen(offset) {
                guard characters[offset] == 0x2D else { return nil }
            } else {
                guard let value = lowerCaseValue(characters[offset]) else { return nil }
                bits = bits << 4 | UInt128(value)
            }
        }
        return withUnsafeBytes(of: bits.bigEndian) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    /// Returns the 36 characters of an id in lower case.
    public static func text(of id: UUID) -> String {
        let bits = withUnsafeBytes(of: id.uuid) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
        return String(unsafeUninitializedCapacity: 36) { characters in
            let text = UnsafeMutableRawBufferPointer(characters)
            let second = Hex.digits(UInt32(truncatingIfNeeded: bits >> 64))
            let third = Hex.digits(UInt32(truncatingIfNeeded: bits >> 32))
            text.store(Hex.digits(UInt32(truncatingIfNeeded: bits >> 96)), at: 0)
            text.store(UInt32(truncatingIfNeeded: second >> 32), at: 9)
            text.store(UInt32(truncatingIfNeeded: second), at: 14)
            text.store(UInt32(truncatingIfNeeded: third >> 32), at: 19)
            text.store(UInt32(truncatingIfNeeded: third), at: 24)
            text.store(Hex.digits(UInt32(truncatingIfNeeded: bits)), at: 28)
            characters[8] = 0x2D
            characters[13] = 0x2D
            characters[18] = 0x2D
            characters[23] = 0x2D
            return 36
        }
    }

    /// Returns the time at which a version 7 UUID was created, to the millisecond, or `nil` for another version.
    public static func timestamp(of id: UUID) -> Timestamp? {
        let bytes = id.uuid
        guard bytes.6 >> 4 == 7, bytes.8 >> 6 == 2 else { return nil }
        let milliseconds = [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(0) { $0 << 8 | Int64($1) }
        return Timestamp(microsecondsSinceUnixEpoch: milliseconds * 1_000)
    }

    private static func isHyphen(_ offset: Int) -> Bool {
        offset == 8 || offset == 13 || offset == 18 || offset == 23
    }

    private static func lowerCaseValue(_ character: UInt8) -> UInt8? {
        (0x41...0x46).contains(character) ? nil : Hex.value(of: character)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Stores the bytes of a number, the highest first.
    fileprivate func store(_ number: some FixedWidthInteger & BitwiseCopyable, at offset: Int) {
        storeBytes(of: number.bigEndian, toByteOffset: offset, as: type(of: number))
    }
}
