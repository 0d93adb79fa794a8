extension IPAddress: CustomStringConvertible {
    /// The canonical text: dotted decimal, or as RFC 5952 recommends.
    public var description: String {
        switch self {
        case .v4(let bits): Self.text(v4: bits)
        case .v6(let bits): Self.text(v6: bits)
        }
    }

    private static func text(v4 bits: UInt32) -> String {
        "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
    }

    private static func text(v6 bits: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        let zeros = longestRunOfZeros(groups)
        // RFC 5952, section 4.2.2: "::" does not shorten a single group.
        guard zeros.count >= 2 else { return text(groups[...]) }
        return "\(text(groups[..<zeros.lowerBound]))::\(text(groups[zeros.upperBound...]))"
    }

    private static func text(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first of the longest runs (RFC 5952, section 4.2.3).
    private static func longestRunOfZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for (position, group) in groups.enumerated() {
            if group != 0 {
                start = position + 1
            } else if position + 1 - start > longest.count {
                longest = start..<position + 1
            }
        }
        return longest
    }
}
