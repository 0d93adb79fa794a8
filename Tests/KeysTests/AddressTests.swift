import Keys
import TestSupport
import Testing

@Suite struct AddressTests {
    private func fault(_ text: String) -> AddressFault? {
        do throws(AddressFault) {
            _ = try AddressRange(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("192.0.2.255", "192.0.2.255"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:DB8::A", "2001:db8::a"), ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:0201", "192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func `an address has one canonical text`(text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
    }

    // Attack: "010.0.0.1" is 8.0.0.1 to one program and 10.0.0.1 to another, so one rule means two addresses.
    @Test(arguments: [
        "", " 1.2.3.4", "1.2.3.4 ", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.0.0.1", "01.2.3.4",
        "1.2.3.00",
        "0x1.2.3.4", "1.2.3.4:80", "+1.2.3.4", "1", "4294967295", "1.2.3.-4", ":", ":::", "1::2::3", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "12345::", "g::", "fe80::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
        "::ffff:01.2.3.4",
        "::-1", "１.2.3.4", "1.2.3.4\u{0}", "localhost",
    ])
    func `a text that is not an address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
        #expect(fault(text) == .notAnAddress)
    }

    @Test func `every address is read back from its text`() {
        forEachSeed(20_000) { seed, generator in
            // Many groups are zero, so that runs of zeros are common.
            let groups = (0..<8)
                .map { _ in generator.chance(2) ? 0 : UInt128(generator.next() & 0xFFFF >> (generator.next() % 16)) }
            let address =
                generator.chance(4)
                ? .v4(UInt32.random(in: 0 ... .max, using: &generator))
                : IPAddress(v6Bits: groups.reduce(0) { $0 << 16 | $1 })
            #expect(IPAddress(address.description) == address, "seed \(seed): \(address)")
        }
    }

    @Test func `the bytes of a socket address give its address`() {
        func address(_ bytes: [UInt8]) -> String? { IPAddress(networkBytes: bytes.span)?.description }
        let v6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 255]
        #expect(address([192, 0, 2, 255]) == "192.0.2.255" && address(v6) == "2001:db8::1")
        #expect(address(mapped) == "192.0.2.255")
        for count in [0, 1, 3, 5, 15, 17, 32] { #expect(address([UInt8](repeating: 1, count: count)) == nil) }
    }

    @Test func `a text that is not a range is refused with its fault`() throws {
        #expect(fault("10.0.0.1/8") == .hostBitsSet(network: "10.0.0.0/8"))
        #expect(fault("2001:db8::1/32") == .hostBitsSet(network: "2001:db8::/32"))
        #expect(fault("0.0.0.1/0") == .hostBitsSet(network: "0.0.0.0/0"))
        for text in [
            "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/+8", "10.0.0.0/8 ",
        ] {
            #expect(fault(text) == .badPrefixLength(maximum: 32), "\(text)")
        }
        #expect(fault("::/129") == .badPrefixLength(maximum: 128))
        #expect(fault("::ffff:10.0.0.0/95") == .mappedPrefixTooShort)
        #expect(fault("10.0.0/8") == .notAnAddress)
        for (text, canonical) in [
            ("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3", "10.1.2.3"), ("10.1.2.3/32", "10.1.2.3"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8:0::/48", "2001:db8::/48"), ("::1/128", "::1"), ("::/0", "::/0"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ] { #expect(try AddressRange(text).description == canonical) }
    }

    @Test func `a range contains an address exactly if their leading bits are equal`() {
        func bits(_ address: IPAddress) -> [Bool] {
            switch address {
            case .v4(let bits): (0..<32).map { bits >> UInt32(31 - $0) & 1 == 1 }
            case .v6(let bits): (0..<128).map { bits >> UInt128(127 - $0) & 1 == 1 }
            }
        }
        var (held, missed) = (0, 0)
        forEachSeed(20_000) { seed, generator in
            func any() -> IPAddress {
                generator.chance(2)
                    ? .v4(UInt32.random(in: 0 ... .max, using: &generator))
                    : .v6(UInt128.random(in: 0 ... .max, using: &generator))
            }
            let base = any()
            let length = Int.random(in: 0...base.bitWidth, using: &generator)
            let range = AddressRange(containing: base, prefixLength: length)
            var candidate = any()
            // Most candidates differ from the base in one bit, so that the border of the range is tested.
            if !generator.chance(4) {
                let flip = Int.random(in: 0..<base.bitWidth, using: &generator)
                switch base {
                case .v4(let bits): candidate = .v4(bits ^ 1 << UInt32(31 - flip))
                case .v6(let bits): candidate = .v6(bits ^ 1 << UInt128(127 - flip))
                }
            }
            let expected =
                candidate.bitWidth == base.bitWidth
                && bits(candidate).prefix(length).elementsEqual(bits(base).prefix(length))
            #expect(range.contains(candidate) == expected, "seed \(seed)")
            if expected { held += 1 } else { missed += 1 }
        }
        #expect(held > 1_000 && missed > 1_000)
    }

    // A dual-stack socket shows 10.0.0.9 as ::ffff:10.0.0.9. A rule must not depend on the socket.
    @Test func `an IPv4-mapped address is the IPv4 address inside it`() throws {
        let client = try #require(IPAddress("::ffff:10.0.0.9"))
        #expect(try AddressRange("10.0.0.0/24").contains(client))
        #expect(try AddressRange("::ffff:10.0.0.0/120").contains(client))
        #expect(try !AddressRange("::/0").contains(client))
        #expect(try !AddressRange("0.0.0.0/0").contains(#require(IPAddress("::1"))))
    }

    @Test func `a network has no bits after its length`() {
        #expect(IPAddress("2001:db8:1:2:3::4")?.network(prefixLength: 64).description == "2001:db8:1:2::")
        #expect(IPAddress("10.1.2.3")?.network(prefixLength: 99).description == "10.1.2.3")
        #expect(IPAddress("10.1.2.3")?.network(prefixLength: -1).description == "0.0.0.0")
    }
}
