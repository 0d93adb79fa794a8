package import Keys

/// The addresses that webhooks can be sent to.
///
/// A tenant chooses the URL, and a request comes from inside the operator's network. So an address that is not globally reachable is
/// refused, and so is one that answers inside a cloud alone, unless the operator allows it.
package struct AddressPolicy: Sendable {
    /// The ranges that can be called in any case.
    package let allowed: [AddressRange]

    /// Creates a policy.
    ///
    /// - Parameter allowed: The ranges that can be called although they are not globally reachable.
    package init(allowing allowed: [AddressRange] = []) {
        self.allowed = allowed
    }

    /// Returns the reason for which an address cannot be called, or `nil` if it can be.
    ///
    /// - Parameters:
    ///   - address: The address.
    ///   - own: The addresses of this machine.
    /// - Returns: The reason.
    package func refusal(of address: IPAddress, own: [IPAddress]) -> String? {
        if allowed.contains(where: { $0.contains(address) }) { return nil }
        let isOwn = own.contains(address) || Self.carried(by: address).map { own.contains($0) } == true
        if isOwn { return "\(address) is an address of the server itself" }
        if Self.isOfPlatform(address) { return "\(address) is an address of the cloud's own platform" }
        return Self.isGlobal(address) ? nil : "\(address) is not a globally reachable address"
    }

    /// Returns true for an address of the loopback.
    static func isLoopback(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let bits): bits == 1
        }
    }

    /// Returns true for an address of a cloud's metadata service, although it is a global one.
    private static func isOfPlatform(_ address: IPAddress) -> Bool {
        platform.contains { $0.contains(carried(by: address) ?? address) }
    }

    /// Returns true if an address is globally reachable.
    ///
    /// An IPv6 address that carries an IPv4 address is as reachable as that.
    static func isGlobal(_ address: IPAddress) -> Bool {
        if let inner = carried(by: address) { return isGlobal(inner) }
        return switch address {
        case .v4: !reserved4.contains { $0.contains(address) }
        case .v6: unicast6.contains(address) && !reserved6.contains { $0.contains(address) }
        }
    }

    /// Returns the IPv4 address that an IPv6 address carries, or `nil` if it carries none.
    ///
    /// The well-known prefix of NAT64 (RFC 6052 section 2.1) and 6to4 (RFC 3056 section 2) carry one. An IPv4-mapped address is the IPv4
    /// address already.
    private static func carried(by address: IPAddress) -> IPAddress? {
        guard case .v6(let bits) = address else { return nil }
        if nat64.contains(address) { return .v4(UInt32(truncatingIfNeeded: bits)) }
        if sixToFour.contains(address) { return .v4(UInt32(truncatingIfNeeded: bits >> 80)) }
        return nil
    }

    /// The ranges of the IANA IPv4 Special-Purpose Address Registry that are not globally reachable, multicast (RFC 5771), and the
    /// relays of 6to4, which are deprecated.
    private static let reserved4 = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    ])

    /// The address of Azure's platform, which hands machines their configuration (Microsoft Learn, "What is IP address 168.63.129.16?").
    ///
    /// Those of other clouds are in the ranges above.
    private static let platform = ranges(["168.63.129.16/32"])

    /// The ranges inside 2000::/3 of the IANA IPv6 Special-Purpose Address Registry that are not globally reachable, Teredo and ORCHID
    /// included.
    private static let reserved6 = ranges(["2001::/23", "2001:db8::/32", "3fff::/20"])

    /// The global unicast addresses (IANA IPv6 Address Space).
    ///
    /// All others are local, multicast or not assigned.
    private static let unicast6 = range("2000::/3")
    private static let nat64 = range("64:ff9b::/96")
    private static let sixToFour = range("2002::/16")

    private static func ranges(_ texts: [String]) -> [AddressRange] { texts.map(range) }

    private static func range(_ text: String) -> AddressRange {
        (try? AddressRange(text)) ?? AddressRange(containing: .v6(0), prefixLength: 0)
    }
}
