/// An address, or a CIDR range of addresses, that a key may be used from.
///
/// IPv4 and IPv6 are apart: `::/0` holds no IPv4 client, and `0.0.0.0/0` no IPv6 client.
public struct AddressRange: Sendable, Hashable {
    /// The first address of the range.
    public let network: IPAddress
    /// How many leading bits all addresses of the range share.
    public let prefixLength: Int

    /// The range of all addresses that share the first `prefixLength` bits of `address`.
    ///
    /// A length outside the address counts as the nearest inside.
    public init(containing address: IPAddress, prefixLength: Int) {
        network = address.network(prefixLength: prefixLength)
        self.prefixLength = min(max(prefixLength, 0), address.bitWidth)
    }

    /// The range that `text` spells: an address, or an address, `/` and a length.
    ///
    /// IPv4-mapped IPv6 is taken for IPv4, its length for 96 less.
    ///
    /// - Throws: What is wrong with `text`; bits behind the length are refused, because it is unclear which was meant.
    public init(_ text: String) throws(AddressFault) {
        let parts = text.utf8.split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { throw .notAnAddress }
        guard parts.count == 2 else {
            self.init(containing: address, prefixLength: address.bitWidth)
            return
        }
        let isMapped = first.contains(0x3A) && address.bitWidth == 32
        let written = IPAddress.decimal(parts[1], upTo: isMapped ? 128 : address.bitWidth)
        guard let written else { throw .badPrefixLength(maximum: isMapped ? 128 : address.bitWidth) }
        // Below 96 a mapped address has bits of its mapping behind the length, and the network is no IPv4 network.
        guard !isMapped || written >= 96 else { throw .mappedPrefixTooShort }
        self.init(containing: address, prefixLength: isMapped ? written - 96 : written)
        guard network == address else { throw .hostBitsSet(network: description) }
    }

    /// Whether `address` lies in the range.
    public func contains(_ address: IPAddress) -> Bool {
        address.bitWidth == network.bitWidth && address.network(prefixLength: prefixLength) == network
    }

    /// Whether all of `other` lies in the range.
    public func contains(_ other: AddressRange) -> Bool {
        other.prefixLength >= prefixLength && contains(other.network)
    }
}

extension AddressRange: CustomStringConvertible {
    /// The canonical text: the address alone where the range holds one, else the network, `/` and the length.
    public var description: String {
        prefixLength == network.bitWidth ? "\(network)" : "\(network)/\(prefixLength)"
    }
}
