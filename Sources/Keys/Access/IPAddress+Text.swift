extension IPAddress: CustomStringConvertible {
    /// The canonical text: dotted decimal for IPv4, the text that RFC 5952 recommends for IPv6.
    public var description: String {
        String(unsafeUninitializedCapacity: 39) { buffer in
            var writer = AddressWriter(buffer)
            switch self {
            case .v4(let bits): writer.append(v4: bits)
            case .v6(let bits): writer.append(v6: bits)
            }
            return writer.count
        }
    }
}

/// A writer of addresses into memory of at least 39 bytes, the length of the longest address.
private struct AddressWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func append(v4 bits: UInt32) {
        for shift in stride(from: 24 as UInt32, through: 0, by: -8) {
            if shift < 24 { append(0x2E) }
            let octet = UInt8(truncatingIfNeeded: bits >> shift)
            if octet >= 100 { append(0x30 + octet / 100) }
            if octet >= 10 { append(0x30 + octet / 10 % 10) }
            append(0x30 + octet % 10)
        }
    }

    mutating func append(v6 bits: UInt128) {
        let zeros = Self.longestRunOfZeros(bits)
        var position = 0
        while position < 8 {
            if position == zeros.lowerBound, !zeros.isEmpty {
                append(0x3A)
                append(0x3A)
                position = zeros.upperBound
            } else {
                if position > 0, position != zeros.upperBound || zeros.isEmpty { append(0x3A) }
                append(group: Self.group(position, of: bits))
                position += 1
            }
        }
    }

    /// Appends a group in hexadecimal, without leading zeros.
    private mutating func append(group: UInt16) {
        for shift in stride(from: 12 as UInt16, through: 0, by: -4) where group >> shift != 0 || shift == 0 {
            append(Hex.digit(UInt8(truncatingIfNeeded: group >> shift & 0xF)))
        }
    }

    private mutating func append(_ byte: UInt8) {
        guard count < buffer.count else { return }
        buffer[count] = byte
        count += 1
    }

    private static func group(_ position: Int, of bits: UInt128) -> UInt16 {
        UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * position))
    }

    /// Returns the groups that `::` replaces: the first of the longest runs of zeros (RFC 5952, section 4.2.3).
    ///
    /// The result is empty if no run has two groups, because `::` must not replace a single group (section 4.2.2).
    private static func longestRunOfZeros(_ bits: UInt128) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for position in 0..<8 {
            if group(position, of: bits) != 0 {
                start = position + 1
            } else if position + 1 - start > max(longest.count, 1) {
                longest = start..<position + 1
            }
        }
        return longest
    }
}
