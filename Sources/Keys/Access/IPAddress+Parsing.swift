extension IPAddress {
    /// Creates an address from its text, or returns `nil` if the text is not an address.
    ///
    /// The parser is strict. An IPv4 address has four octets without leading zeros, which some programs read as octal. An
    /// IPv6 address follows RFC 4291, section 2.2, without a zone and without brackets. A port and white space are refused.
    public init?(_ text: String) {
        self.init(utf8: text.utf8.span)
    }

    /// Creates an address from its text in UTF-8, or returns `nil` if the text is not an address.
    public init?(utf8 text: borrowing Span<UInt8>) {
        guard let parsed = Self.parse(text) else { return nil }
        self = parsed.address
    }

    /// Returns the address and whether its text is an IPv4-mapped IPv6 address.
    static func parse(_ text: borrowing Span<UInt8>) -> (address: IPAddress, isMapped: Bool)? {
        for position in text.indices where text[position] == 0x3A {
            guard let bits = v6Bits(text) else { return nil }
            let address = IPAddress(v6Bits: bits)
            return (address, address.bitWidth == 32)
        }
        guard let bits = v4Bits(text) else { return nil }
        return (.v4(bits), false)
    }

    private static func v4Bits(_ text: borrowing Span<UInt8>) -> UInt32? {
        var bits: UInt32 = 0
        var start = 0
        for octet in 0..<4 {
            var end = start
            while end < text.count, text[end] != 0x2E { end += 1 }
            // A point follows every octet but the last.
            guard (end < text.count) == (octet < 3) else { return nil }
            guard let value = decimal(text.extracting(start..<end), upTo: 255) else { return nil }
            bits = bits << 8 | UInt32(value)
            start = end + 1
        }
        return bits
    }

    private static func v6Bits(_ text: borrowing Span<UInt8>) -> UInt128? {
        var groups = GroupReader()
        var offset = 0
        if text.count >= 2, text[0] == 0x3A, text[1] == 0x3A {
            groups.markGap()
            offset = 2
        }
        while offset < text.count {
            let start = offset
            while offset < text.count, text[offset] != 0x3A, text[offset] != 0x2E { offset += 1 }
            if offset < text.count, text[offset] == 0x2E {
                // An IPv4 tail can only be the end of the text. It takes the place of two groups.
                guard let tail = v4Bits(text.extracting(start..<text.count)) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: tail >> 16))
                groups.append(UInt16(truncatingIfNeeded: tail))
                return groups.bits
            }
            guard let group = hexadecimal(text.extracting(start..<offset)) else { return nil }
            groups.append(group)
            guard offset < text.count else { return groups.bits }
            offset += 1
            if offset < text.count, text[offset] == 0x3A {
                guard !groups.hasGap else { return nil }
                groups.markGap()
                offset += 1
            } else if offset == text.count {
                return nil
            }
        }
        return groups.bits
    }

    private static func hexadecimal(_ text: borrowing Span<UInt8>) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for position in text.indices {
            guard let digit = Hex.value(of: text[position]) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// Returns the value of a decimal number without leading zeros, or `nil` if the text is not one or exceeds the limit.
    ///
    /// The number has at most three digits.
    static func decimal(_ text: borrowing Span<UInt8>, upTo limit: Int) -> Int? {
        guard (1...3).contains(text.count), text.count == 1 || text[0] != 0x30 else { return nil }
        var value = 0
        for position in text.indices {
            guard (0x30...0x39).contains(text[position]) else { return nil }
            value = value * 10 + Int(text[position] - 0x30)
        }
        return value <= limit ? value : nil
    }
}

/// The groups of an IPv6 address, as they are read from front to back.
private struct GroupReader {
    private var front: UInt128 = 0
    private var back: UInt128 = 0
    private var frontCount = 0
    private var backCount = 0

    /// True if the text contains `::`, which stands for at least one group of zeros.
    private(set) var hasGap = false

    mutating func markGap() { hasGap = true }

    mutating func append(_ group: UInt16) {
        if hasGap {
            back = back << 16 | UInt128(group)
            backCount += 1
        } else {
            front = front << 16 | UInt128(group)
            frontCount += 1
        }
    }

    /// The bits of the address, or `nil` if the number of groups is wrong.
    var bits: UInt128? {
        guard hasGap else { return frontCount == 8 ? front : nil }
        guard frontCount + backCount <= 7 else { return nil }
        return front << UInt128(16 * (8 - frontCount)) | back
    }
}
