import GatewayAPI
import Keys
import Surfaces
import Testing

/// The token and the client's address in the headers of a check.
@Suite struct CheckQuestionTests {
    private static let clients = try? ClientAddresses(parsing: "10.0.0.0/8, 192.0.2.9")

    private func question(_ options: String, from peer: GatewayPeer = .gateway, _ headers: Headers) throws
        -> CheckQuestion
    {
        let target = "/v1/authorize/workspaces/018f4d2e-7c1a-7b3c-8d4e-5f6a7b8c9d0e\(options)/x"
        let path = try #require(try CheckPath.read(target))
        return CheckQuestion(path, headers, from: peer, try #require(Self.clients))
    }

    private func question(_ headers: Headers) throws -> CheckQuestion { try question("", headers) }

    private func address(_ options: String, from peer: GatewayPeer = .gateway, _ headers: Headers) throws -> String? {
        try question(options, from: peer, headers).request.address?.description
    }

    private func address(from peer: GatewayPeer = .gateway, _ headers: Headers) throws -> String? {
        try address("", from: peer, headers)
    }

    @Test func `the first header that carries a token counts`() throws {
        #expect(try question(Headers()).token == .none)
        #expect(try question(Headers(("x-api-key", "a"), ("Authorization", "Bearer b"))).token == .text("a"))
        #expect(try question(Headers(("authorization", "bearer b"))).token == .text("b"))
        for absent in ["", "Basic dTpw", "Bearer", "Bearer "] {
            #expect(try question(Headers(("Authorization", absent))).token == .none, "\(absent)")
        }
        // An empty header is absent, because some gateways copy a header that the client did not send.
        #expect(try question(Headers(("X-API-Key", ""), ("Authorization", "Bearer b"))).token == .text("b"))
        // Blanks behind a value are no part of it, and the parser of HTTP/1.1 leaves them there.
        for blanks in [" ", "\t", " \t "] {
            #expect(try question(Headers(("X-API-Key", "a\(blanks)"))).token == .text("a"))
            #expect(try question(Headers(("Authorization", "Bearer b\(blanks)"))).token == .text("b"))
            #expect(try question(Headers(("X-API-Key", blanks), ("Authorization", "Bearer b"))).token == .text("b"))
        }
        let custom = ";token=X-My-Key;token=Authorization"
        #expect(try question(custom, Headers(("X-API-Key", "a"))).token == .none)
        #expect(try question(custom, Headers(("X-My-Key", "c"), ("Authorization", "Bearer b"))).token == .text("c"))
        #expect(try question(custom, Headers(("Authorization", "Bearer b"))).token == .text("b"))
        #expect(try question(";token=X-My-Key", Headers(("X-My-Key", "Bearer c"))).token == .text("Bearer c"))
    }

    // The attack: two lines, of which Mortise checks one and the server behind the gateway believes the other.
    @Test func `a token header in two lines is malformed`() throws {
        #expect(try question(Headers(("X-API-Key", "a"), ("x-api-key", "a"))).token == .malformed)
        #expect(try question(Headers(("Authorization", "Basic x"), ("Authorization", "Bearer b"))).token == .malformed)
        #expect(
            try question(Headers(("X-API-Key", "a"), ("Authorization", "Bearer b"), ("Authorization", "Bearer c")))
                .token == .text("a")
        )
    }

    @Test func `a question does not print its token`() throws {
        let question = try question(Headers(("X-API-Key", "mks_live_secret")))
        var dumped = ""
        dump(question, to: &dumped)
        for text in ["\(question)", String(reflecting: question), dumped] { #expect(!text.contains("secret")) }
    }

    // The attack: a client writes the header itself to imitate an address that a key is bound to.
    @Test func `a gateway's right-most address that is no trusted proxy's counts`() throws {
        #expect(try address(Headers(("X-Forwarded-For", "203.0.113.5, 198.51.100.1"))) == "198.51.100.1")
        #expect(try address(Headers(("X-Forwarded-For", "203.0.113.5, 198.51.100.1, 10.1.1.1"))) == "198.51.100.1")
        #expect(
            try address(Headers(("X-Forwarded-For", "203.0.113.5"), ("X-Forwarded-For", "198.51.100.1")))
                == "198.51.100.1"
        )
        #expect(try address(Headers(("X-Forwarded-For", "203.0.113.5, unknown"))) == nil)
        // The gateway is never the client.
        #expect(try address(Headers()) == nil)
    }

    @Test func `an option names another header, whose right-most entry counts`() throws {
        let option = ";address=X-Real-IP"
        #expect(
            try address(option, Headers(("X-Real-IP", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.5")))
                == "198.51.100.1"
        )
        #expect(try address(option, Headers(("x-real-ip", "203.0.113.5, 198.51.100.1"))) == "198.51.100.1")
        #expect(
            try address(option, Headers(("X-Real-IP", "203.0.113.5"), ("X-Real-IP", "[2001:db8::7]:1")))
                == "2001:db8::7"
        )
        // The right-most entry counts even if it is a trusted proxy's.
        #expect(try address(option, Headers(("X-Real-IP", "198.51.100.1, 10.1.1.1"))) == "10.1.1.1")
        #expect(try address(option, Headers(("X-Forwarded-For", "203.0.113.5"))) == nil)
        #expect(try address(option, Headers(("X-Real-IP", "me"))) == nil)
    }

    @Test func `a peer with an address is believed only if it is a trusted proxy`() throws {
        let stranger = GatewayPeer.connection(IPAddress("192.0.2.1"))
        let proxy = GatewayPeer.connection(IPAddress("192.0.2.9"))
        let headers = Headers(("X-Forwarded-For", "198.51.100.1"), ("X-Real-IP", "198.51.100.2"))
        for option in ["", ";address=X-Real-IP"] {
            #expect(try address(option, from: stranger, headers) == "192.0.2.1")
        }
        #expect(try address(from: proxy, headers) == "198.51.100.1")
        #expect(try address(";address=X-Real-IP", from: proxy, headers) == "198.51.100.2")
        #expect(try address(from: proxy, Headers()) == "192.0.2.9")
        #expect(try address(";address=X-Real-IP", from: proxy, Headers()) == nil)
        #expect(try address(from: .connection(nil), headers) == nil)
    }
}
