extension IPAddress {
    /// The address that `text` spells, or `nil` where it is none.
    ///
    /// Strict: four octets without leading zeros, which some readers take for octal; IPv6 as in RFC 4291, section 2.2,
    /// with neither zone nor brackets; no port and no space.
    public init?(_ text: String) {
        self.init(text.utf8[...])
    }

    init?(_ text: Substring.UTF8View) {
        if text.contains(0x3A) {
            guard let bits = Self.v6Bits(text) else { return nil }
            self = .fromIPv6(bits)
        } else {
            guard let bits = Self.v4Bits(text) else { return nil }
            self = .v4(bits)
        }
    }

    private static func v4Bits(_ text: Substring.UTF8View) -> UInt32? {
        let octets = text.split(separator: 0x2E, maxSplits: 4, omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var bits: UInt32 = 0
        for octet in octets {
            guard let value = decimal(octet, upTo: 255) else { return nil }
            bits = bits << 8 | UInt32(value)
        }
        return bits
    }

    private static func v6Bits(_ text: Substring.UTF8View) -> UInt128? {
        guard let gap = firstGap(in: text) else {
            guard let groups = groups(text[...]), groups.count == 8 else { return nil }
            return bits(groups)
        }
        let front = text[..<gap]
        let back = text[text.index(gap, offsetBy: 2)...]
        // An IPv4 tail may only stand at the very end, so none in front of the gap.
        guard !front.contains(0x2E), let before = groups(front), let after = groups(back) else { return nil }
        // "::" stands for at least one group, so at most seven are left to be written.
        guard before.count + after.count <= 7 else { return nil }
        return bits(before + Array(repeating: 0, count: 8 - before.count - after.count) + after)
    }

    private static func bits(_ groups: [UInt16]) -> UInt128 {
        groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func firstGap(in text: Substring.UTF8View) -> Substring.UTF8View.Index? {
        zip(text.indices, text.indices.dropFirst()).first { text[$0] == 0x3A && text[$1] == 0x3A }?.0
    }

    /// Groups between single colons; the last may be an IPv4 address, which counts as two.
    private static func groups(_ text: Substring.UTF8View) -> [UInt16]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: 0x3A, maxSplits: 8, omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var groups: [UInt16] = []
        for (position, part) in parts.enumerated() {
            if position == parts.count - 1, part.contains(0x2E) {
                guard let tail = v4Bits(part) else { return nil }
                groups += [UInt16(truncatingIfNeeded: tail >> 16), UInt16(truncatingIfNeeded: tail)]
            } else {
                guard let group = hexadecimal(part) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func hexadecimal(_ text: Substring.UTF8View) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for character in text {
            guard let digit = Hex.value(of: character) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// A decimal number without leading zeros.
    static func decimal(_ text: Substring.UTF8View, upTo limit: Int) -> Int? {
        guard (1...3).contains(text.count), text.count == 1 || text.first != 0x30 else { return nil }
        var value = 0
        for character in text {
            guard (0x30...0x39).contains(character) else { return nil }
            value = value * 10 + Int(character - 0x30)
        }
        return value <= limit ? value : nil
    }
}
