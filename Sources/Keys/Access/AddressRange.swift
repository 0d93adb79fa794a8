/// An address, or a CIDR range of addresses, that a key may be used from.
///
/// IPv4 and IPv6 are separate: `::/0` contains no IPv4 address, and `0.0.0.0/0` contains no IPv6 address.
public struct AddressRange: Sendable, Hashable {
    /// The first address of the range.
    public let network: IPAddress
    /// The number of leading bits that all addresses of the range share.
    public let prefixLength: Int

    /// Creates the range of all addresses that share the first bits of an address.
    ///
    /// - Parameters:
    ///   - address: Any address of the range.
    ///   - prefixLength: The number of shared bits. A number outside of the address's length counts as the nearest inside.
    public init(containing address: IPAddress, prefixLength: Int) {
        network = address.network(prefixLength: prefixLength)
        self.prefixLength = min(max(prefixLength, 0), address.bitWidth)
    }

    /// Creates a range from an address, or from an address, `/` and a length.
    ///
    /// An IPv4-mapped IPv6 range is the IPv4 range inside it, whose length is 96 less.
    ///
    /// - Parameter text: The text.
    /// - Throws: ``AddressFault`` if the text is not a range. An address with bits after the length is a fault too, because
    ///   either of the two could be the mistake.
    public init(_ text: String) throws(AddressFault) {
        let bytes = text.utf8.span
        var end = 0
        while end < bytes.count, bytes[end] != 0x2F { end += 1 }
        guard let parsed = IPAddress.parse(bytes.extracting(0..<end)) else { throw .notAnAddress }
        let address = parsed.address
        guard end < bytes.count else {
            self.init(containing: address, prefixLength: address.bitWidth)
            return
        }
        let maximum = parsed.isMapped ? 128 : address.bitWidth
        let length = IPAddress.decimal(bytes.extracting((end + 1)..<bytes.count), upTo: maximum)
        guard let length else { throw .badPrefixLength(maximum: maximum) }
        // Below 96 the network is not an IPv4 network: bits of the mapping stand after the length.
        guard !parsed.isMapped || length >= 96 else { throw .mappedPrefixTooShort }
        self.init(containing: address, prefixLength: parsed.isMapped ? length - 96 : length)
        guard network == address else { throw .hostBitsSet(network: description) }
    }

    /// Returns true if the range contains an address.
    public func contains(_ address: IPAddress) -> Bool {
        address.bitWidth == network.bitWidth && address.network(prefixLength: prefixLength) == network
    }

    /// Returns true if the range contains all addresses of another range.
    public func contains(_ other: AddressRange) -> Bool {
        other.prefixLength >= prefixLength && contains(other.network)
    }
}

extension AddressRange: CustomStringConvertible {
    /// The canonical text: a range of one address is that address, any other is the network, `/` and the length.
    public var description: String {
        prefixLength == network.bitWidth ? "\(network)" : "\(network)/\(prefixLength)"
    }
}
