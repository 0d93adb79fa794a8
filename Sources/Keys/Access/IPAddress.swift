/// An IPv4 or IPv6 address.
///
/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is the IPv4 address inside it: a
/// dual-stack socket shows IPv4 clients that way, and a rule for one must hold for the other.
public enum IPAddress: Sendable, Hashable {
    /// An IPv4 address, its first octet in the highest byte.
    case v4(UInt32)
    /// An IPv6 address that is not IPv4-mapped, its first group in the highest bytes.
    case v6(UInt128)

    /// The address of these 16 bytes: IPv4 where they are IPv4-mapped.
    public static func fromIPv6(_ bits: UInt128) -> IPAddress {
        bits >> 32 == 0xFFFF ? .v4(UInt32(truncatingIfNeeded: bits)) : .v6(bits)
    }

    /// The length of the address in bits: 32 or 128.
    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// The address with all bits behind the first `prefixLength` cleared.
    ///
    /// A length below 0 or above ``bitWidth`` counts as the nearest of the two.
    public func network(prefixLength: Int) -> IPAddress {
        let hostBits = min(max(bitWidth - prefixLength, 0), bitWidth)
        return switch self {
        case .v4(let bits): .v4(bits & ~0 << UInt32(hostBits))
        case .v6(let bits): .v6(bits & ~0 << UInt128(hostBits))
        }
    }
}
