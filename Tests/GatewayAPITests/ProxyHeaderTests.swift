import GatewayAPI
import Keys
import Testing

/// The header of the PROXY protocol, which comes from a proxy or from anybody who can connect.
@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private func version2(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return Self.signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
    }

    private func client(_ text: String) -> ProxyHeader { .client(IPAddress(text)) }

    @Test func `both versions name the client`() throws {
        let line = "PROXY TCP4 198.51.100.1 192.0.2.1 5000 443\r\n"
        #expect(
            ProxyHeader.read(Array("\(line)GET /".utf8)) == .complete(client("198.51.100.1"), length: line.utf8.count)
        )
        let line6 = "PROXY TCP6 2001:db8::7 ::1 1 2\r\n"
        #expect(ProxyHeader.read(Array(line6.utf8)) == .complete(client("2001:db8::7"), length: line6.utf8.count))
        let rest4: [UInt8] = [198, 51, 100, 1, 192, 0, 2, 1, 0, 1, 0, 2]
        #expect(ProxyHeader.read(version2(0x21, 0x11, rest4) + [1]) == .complete(client("198.51.100.1"), length: 28))
        // Further fields follow the addresses.
        #expect(
            ProxyHeader.read(version2(0x21, 0x11, rest4 + [4, 0, 0])) == .complete(client("198.51.100.1"), length: 31)
        )
        let address6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [7]
        let rest6 = address6 + address6 + [0, 1, 0, 2]
        #expect(ProxyHeader.read(version2(0x21, 0x21, rest6)) == .complete(client("2001:db8::7"), length: 52))
    }

    @Test func `a proxy that speaks for itself, or for an unknown client, names none`() {
        #expect(ProxyHeader.read(version2(0x20, 0, [])) == .complete(.local, length: 16))
        #expect(ProxyHeader.read(version2(0x21, 0, [])) == .complete(.client(nil), length: 16))
        #expect(
            ProxyHeader.read(version2(0x21, 0x31, Array(repeating: 1, count: 216)))
                == .complete(.client(nil), length: 232)
        )
        #expect(ProxyHeader.read(Array("PROXY UNKNOWN\r\n".utf8)) == .complete(.client(nil), length: 15))
        #expect(ProxyHeader.read(Array("PROXY UNKNOWN ff::1 x y z\r\n".utf8)) == .complete(.client(nil), length: 27))
    }

    @Test func `every part of a header is incomplete`() {
        let headers = [
            Array("PROXY TCP4 198.51.100.1 192.0.2.1 5000 443\r\n".utf8),
            version2(0x21, 0x11, [198, 51, 100, 1, 192, 0, 2, 1, 0, 1, 0, 2]),
        ]
        for header in headers {
            for length in 0..<header.count {
                #expect(ProxyHeader.read(header.prefix(length)) == .incomplete, "\(length)")
            }
        }
    }

    // The attack: a header that is read as somebody else's address, or that is never complete.
    @Test func `anything else is malformed, and a header has a bound`() {
        let lines = [
            "GET / HTTP/1.1\r\n", "PROXY TCP4 198.51.100.1 192.0.2.1 5000\r\n", "PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
            "PROXY TCP6 198.51.100.1 192.0.2.1 1 2\r\n", "PROXY TCP4 198.51.100.1 x 1 2\r\n",
            "PROXY TCP4 198.51.100.1 192.0.2.1 1 65536\r\n", "PROXY TCP4 198.51.100.1 192.0.2.1 1 2\n",
            "PROXY TCP4  198.51.100.1 192.0.2.1 1 2\r\n", "PROXY UDP4 198.51.100.1 192.0.2.1 1 2\r\n", "PROXY\r\n",
            "PROXY " + String(repeating: "x", count: 101), "\n", "proxy TCP4",
        ]
        for line in lines { #expect(ProxyHeader.read(Array(line.utf8)) == .malformed, "\(line)") }
        #expect(ProxyHeader.read(version2(0x11, 0x11, [])) == .malformed)
        #expect(ProxyHeader.read(version2(0x22, 0x11, [])) == .malformed)
        #expect(ProxyHeader.read(version2(0x21, 0x11, [1, 2, 3])) == .malformed)
        #expect(ProxyHeader.read(version2(0x21, 0x11, [], length: 4097)) == .malformed)
        #expect(ProxyHeader.read(version2(0x21, 0x11, [], length: 4096)) == .incomplete)
    }
}
