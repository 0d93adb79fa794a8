import HTTPTypes
import JSON
import Keys
import NIOCore
import Server
import ServerTestSupport
import Surfaces
import TestSupport
import Testing

/// Only trusted proxies determine the client address of a request.
@Suite(.hangLimit) struct ClientAddressTests {
    private func address(_ trusted: String, _ peer: String, _ forwarded: String...) throws -> String? {
        var headers = HTTPFields()
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        for value in forwarded { headers.append(HTTPField(name: name, value: value)) }
        let clients = try ClientAddresses(parsing: trusted)
        return clients.address(headers, try SocketAddress(ipAddress: peer, port: 1))?.description
    }

    // The attack: a client sends the header itself to imitate an address that a key is limited to.
    @Test func `only the header of a trusted proxy is used`() throws {
        #expect(try address("", "192.0.2.1", "198.51.100.1") == "192.0.2.1")
        #expect(try address("10.0.0.0/8", "192.0.2.1", "198.51.100.1") == "192.0.2.1")
        #expect(try address("10.0.0.0/8", "10.0.0.1", "198.51.100.1") == "198.51.100.1")
        #expect(try address("10.0.0.0/8", "10.0.0.1", "203.0.113.5, 198.51.100.1") == "198.51.100.1")
        #expect(try address("10.0.0.0/8", "10.0.0.1", "203.0.113.5", "198.51.100.1, 10.2.2.2") == "198.51.100.1")
    }

    @Test func `a chain of trusted proxies yields its first address, and an invalid address makes the client unknown`()
        throws
    {
        #expect(try address("10.0.0.0/8, ::1", "10.0.0.1", "10.0.0.9,10.0.0.8") == "10.0.0.9")
        #expect(try address("10.0.0.0/8", "10.0.0.1") == "10.0.0.1")
        #expect(try address("10.0.0.0/8", "10.0.0.1", "unknown") == nil)
        #expect(try address("10.0.0.0/8", "10.0.0.1", "198.51.100.1,") == nil)
        #expect(try address("::1", "::1", "2001:db8::7") == "2001:db8::7")
        #expect(try address("127.0.0.0/8", "::ffff:127.0.0.1", "192.0.2.3") == "192.0.2.3")
        let fault = #expect(throws: TrustedProxyFault.self) { try ClientAddresses(parsing: "10.0.0.0/8 proxy") }
        #expect(fault?.entry == "proxy")
    }

    @Test func `an entry can have a port, and only a well-formed one`() throws {
        let known = [
            ("198.51.100.1:52100", "198.51.100.1"), ("[2001:db8::7]:443", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("203.0.113.5, 198.51.100.1:1", "198.51.100.1"),
        ]
        for (entry, client) in known { #expect(try address("10.0.0.0/8", "10.0.0.1", entry) == client, "\(entry)") }
        let unknown = [
            "198.51.100.1:", "198.51.100.1:65536", "198.51.100.1:x", "198.51.100.1:1:2", "[198.51.100.1]:1",
            "[2001:db8::7",
            "[2001:db8::7]x", "[2001:db8::7]:", "2001:db8::7]:1", "[]:1", "198.51.100.1:-1", "198.51.100.1:123456",
        ]
        for entry in unknown { #expect(try address("10.0.0.0/8", "10.0.0.1", entry) == nil, "\(entry)") }
    }

    @Test
    func `an admin key with allowed addresses works from those addresses only, and events have the client's address`()
        async throws
    {
        try await withMortise(configure: {
            $0.clients = ClientAddresses(trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)])
        }) {
            mortise in
            let path = "/v1/organizations/default/admin-keys"
            let made = try await mortise.api.post(
                path,
                ["name": "bound", "permissions": ["keys:read"], "allowed_ips": ["192.0.2.0/24"]],
                as: mortise.adminToken
            )
            let token = try made.string("token")
            for (client, status) in [("192.0.2.7", 200), ("198.51.100.1", 401), ("192.0.2.7, 198.51.100.1", 401)] {
                let answer = try await mortise.api.send(
                    "GET",
                    ServerHarness.keys(),
                    as: token,
                    headers: [("X-Forwarded-For", client)]
                )
                #expect(answer.status == status, "\(client): \(answer)")
            }
            _ = try await mortise.api.send(
                "POST",
                ServerHarness.keys(),
                ["name": "seen"],
                as: mortise.adminToken,
                headers: [("X-Forwarded-For", "203.0.113.9"), ("X-Request-Id", "my-request")]
            )
            let events = try await mortise.api.get("/v1/workspaces/default/events?type=created", as: mortise.adminToken)
            let event = try #require(events["data"]?.array?.first)
            #expect(event["address"] == "203.0.113.9")
            #expect(event["request_id"] == "my-request")
        }
    }
}
