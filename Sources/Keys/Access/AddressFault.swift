/// What is wrong with a text that should be an address or a range.
public enum AddressFault: Error, Sendable, Hashable {
    /// The part before any `/` is neither an IPv4 nor an IPv6 address.
    case notAnAddress
    /// The part behind the `/` is not a plain number from 0 to the length of the address.
    case badPrefixLength(maximum: Int)
    /// An IPv4-mapped IPv6 address with a length that is not all of the mapping.
    case mappedPrefixTooShort
    /// The address has bits behind the length; the network is the one that was probably meant.
    case hostBitsSet(network: String)
}

extension AddressFault: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .notAnAddress: "This is neither an IPv4 nor an IPv6 address."
        case .badPrefixLength(let maximum): "The length behind \"/\" is not a number from 0 to \(maximum)."
        case .mappedPrefixTooShort: "The length of an IPv4-mapped range is 96 to 128; write the IPv4 range instead."
        case .hostBitsSet(let network): "The address has bits behind the length of the range; did you mean \(network)?"
        }
    }
}
