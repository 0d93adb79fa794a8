import GatewayAPI
import Testing

/// The addresses that gateways connect to, as settings write them.
@Suite struct GatewayAddressTests {
    @Test func `an address is a host with a port or a socket, and can have the PROXY protocol`() {
        for text in ["127.0.0.1:9000", "[::1]:0", "localhost:65535;proxy", "unix:/run/m.sock", "unix:m.sock;proxy"] {
            #expect(GatewayAddress(text)?.description == text)
        }
        for text in [
            "", ":1", "a", "a:", "a:65536", "a:-1", "::1:80", "[a]:1", "a:1;", "a:1;PROXY", "a:1;proxy;proxy", "unix:",
            "unix:;proxy", "a b:1", "a/b:1",
        ] {
            #expect(GatewayAddress(text) == nil, "\(text)")
        }
    }

    @Test func `only sockets, loopback addresses and localhost are local`() {
        for text in ["unix:/s", "127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost:1"] {
            #expect(GatewayAddress(text)?.isLocal == true, "\(text)")
        }
        for text in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "128.0.0.1:1", "localhost.example.com:1", "[::2]:1"] {
            #expect(GatewayAddress(text)?.isLocal == false, "\(text)")
        }
    }
}
