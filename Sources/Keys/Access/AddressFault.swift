/// A fault of a text that is not an address or a range of addresses.
public enum AddressFault: Error, Sendable, Hashable {
    /// The part before the `/`, or the whole text, is neither an IPv4 nor an IPv6 address.
    case notAnAddress
    /// The part after the `/` is not a decimal number from 0 to the length of the address.
    case badPrefixLength(maximum: Int)
    /// The range of an IPv4-mapped IPv6 address is larger than the mapping: its length is below 96.
    case mappedPrefixTooShort
    /// The address has bits after the length. The network is the range that was probably meant.
    case hostBitsSet(network: String)
}

extension AddressFault: CustomStringConvertible {
    /// A sentence for the person who wrote the text.
    public var description: String {
        switch self {
        case .notAnAddress: "This is neither an IPv4 nor an IPv6 address."
        case .badPrefixLength(let maximum): "The length after \"/\" is not a number from 0 to \(maximum)."
        case .mappedPrefixTooShort:
            "The length of an IPv4-mapped range is from 96 to 128. Write the IPv4 range instead."
        case .hostBitsSet(let network):
            "The address has bits after the length of the range. Did you mean \(network)?"
        }
    }
}
