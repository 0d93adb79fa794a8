/// An IPv4 or IPv6 address.
///
/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`; RFC 4291, section 2.5.5.2) is the IPv4 address inside it. A dual-stack
/// socket shows IPv4 clients that way, and a rule for one form must apply to the other.
public enum IPAddress: Sendable, Hashable {
    /// An IPv4 address. The highest byte is the first octet.
    case v4(UInt32)
    /// An IPv6 address that is not IPv4-mapped. The highest bytes are the first group.
    case v6(UInt128)

    /// Creates an address from the bits of an IPv6 address.
    ///
    /// The result is an IPv4 address if they are IPv4-mapped.
    public init(v6Bits bits: UInt128) {
        self = bits >> 32 == 0xFFFF ? .v4(UInt32(truncatingIfNeeded: bits)) : .v6(bits)
    }

    /// Creates an address from its bytes in network order, as socket addresses have them.
    ///
    /// Returns `nil` unless there are 4 or 16 bytes. This is the way from a connection's peer to an address without a text.
    public init?(networkBytes bytes: borrowing Span<UInt8>) {
        var bits: UInt128 = 0
        for position in bytes.indices { bits = bits << 8 | UInt128(bytes[position]) }
        switch bytes.count {
        case 4: self = .v4(UInt32(truncatingIfNeeded: bits))
        case 16: self.init(v6Bits: bits)
        default: return nil
        }
    }

    /// The length of the address in bits: 32 or 128.
    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// Returns the address with all bits after the first `prefixLength` cleared.
    ///
    /// - Parameter prefixLength: The number of bits to keep. A number below 0 or above ``bitWidth`` counts as the nearest of
    ///   the two.
    /// - Returns: The first address of the range.
    public func network(prefixLength: Int) -> IPAddress {
        let hostBits = min(max(bitWidth - prefixLength, 0), bitWidth)
        return switch self {
        case .v4(let bits): .v4(bits & ~0 << UInt32(hostBits))
        case .v6(let bits): .v6(bits & ~0 << UInt128(hostBits))
        }
    }
}
