import Keys
import Testing

@testable import Notices

@Suite struct AddressPolicyTests {
    // The attack: a tenant names an address inside the operator's network, in one of its many spellings.
    @Test(arguments: [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1",
        "::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1",
        "fec0::1", "ff02::1", "4000::1",
    ])
    func `an address that is not globally reachable is refused`(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy().refusal(of: address, own: []) != nil)
    }

    // The attack: a tenant asks the platform of a cloud for the configuration of the server's machine, at an address that is a global one.
    @Test(arguments: ["168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "2002:a83f:8110::1"])
    func `an address at which a cloud's platform answers is refused, unless the operator allows it`(_ text: String)
        throws
    {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy().refusal(of: address, own: [])?.contains("platform") == true)
        let allowing = AddressPolicy(allowing: [try AddressRange(text)])
        #expect(allowing.refusal(of: address, own: []) == nil)
        for name in ["168.63.129.15", "168.63.129.17"] {
            let neighbour = try #require(IPAddress(name))
            #expect(AddressPolicy().refusal(of: neighbour, own: []) == nil)
        }
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.0.1.1",
        "223.255.255.255", "2606:4700::1111", "64:ff9b::808:808", "2a00:1450::1",
    ])
    func `a globally reachable address is called`(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy().refusal(of: address, own: []) == nil)
    }

    // The attack: the server's own public address reaches services behind its firewall.
    @Test func `an address of the server itself is refused`() throws {
        let own = try #require(IPAddress("8.8.8.8"))
        // NAT64 and 6to4 carry the address, too.
        for text in ["8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"] {
            let address = try #require(IPAddress(text))
            #expect(AddressPolicy().refusal(of: address, own: [own])?.contains("the server itself") == true, "\(text)")
            #expect(AddressPolicy().refusal(of: address, own: []) == nil, "\(text)")
        }
    }

    @Test func `a range that the operator allows is called, and no other`() throws {
        let policy = AddressPolicy(allowing: [try AddressRange("127.0.0.0/8"), try AddressRange("::1")])
        for (text, isAllowed) in [("127.0.0.9", true), ("::1", true), ("::2", false), ("10.0.0.1", false)] {
            let address = try #require(IPAddress(text))
            #expect((policy.refusal(of: address, own: [address]) == nil) == isAllowed, "\(text)")
        }
    }
}
