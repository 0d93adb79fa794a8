import Keys

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension FuzzTarget {
    static func checkAddress(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let address = IPAddress(utf8: input.span)
        // The oracle reads a C string, which ends at the first zero.
        if !input.contains(0) {
            try require(address == systemAddress(input.text), "the system's own parser agrees")
        }
        if let address {
            try require(IPAddress(address.description) == address, "an address is read back from its text")
            if case .v4 = address, !input.contains(0x3A) {
                try require(address.description == input.text, "an IPv4 address has one spelling")
            }
        }
        try checkRange(input.text)
    }

    private static func checkRange(_ text: String) throws(BrokenProperty) {
        switch range(text) {
        case .success(let range):
            try require((try? AddressRange(range.description)) == range, "a range is read back from its text")
            try require(range.contains(range.network), "a range contains its network")
            let network = range.network.network(prefixLength: range.prefixLength)
            try require(network == range.network, "a network has no bits after its length")
            try require(range.contains(range), "a range contains itself")
        case .failure(.hostBitsSet(let network)):
            try require((try? AddressRange(network))?.description == network, "a proposed network is a range")
        case .failure(.notAnAddress):
            try require(IPAddress(text) == nil, "an address is a range")
        case .failure: break
        }
    }

    private static func range(_ text: String) -> Result<AddressRange, AddressFault> {
        do throws(AddressFault) {
            return .success(try AddressRange(text))
        } catch {
            return .failure(error)
        }
    }

    /// Returns the address that `inet_pton` reads.
    private static func systemAddress(_ text: String) -> IPAddress? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return .v4(UInt32(bigEndian: v4.s_addr)) }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        return withUnsafeBytes(of: v6) { IPAddress(networkBytes: $0.bindMemory(to: UInt8.self).span) }
    }
}
