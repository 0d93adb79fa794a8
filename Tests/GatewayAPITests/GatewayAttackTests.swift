import Connections
import GatewayAPI
import HTTPTestSupport
import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Clients of a gateway, and programs that connect to its listener, that want to be let in or to keep the listener busy.
@Suite(.hangLimit) struct GatewayAttackTests {
    private static let short = Duration.milliseconds(200)

    // The attack: a path that takes a demand of the gateway's configuration away, or adds a weaker one.
    @Test func `nothing in a client's path is an option, and nothing in it is a fault`() async throws {
        try await withGateway { gateway in
            let reader = try await gateway.mortise.makeKey("reader", ["scopes": ["read:a"]])
            let writer = try await gateway.mortise.makeKey("writer", ["scopes": ["write:a"]])
            let check = "/v1/authorize/workspaces/\(gateway.workspace)"
            let clients: [String] = [
                "", "/", ";scope=read:a", ";scope=read:a/", "%3Bscope=read:a", "%2F;scope=read:a", "?scope=read:a",
                "?;scope=read:a", "?x=/;scope=read:a", "..", "../", "..;scope=read:a/", "../;scope=read:a", "%2e%2e/",
                "../\(gateway.workspace);scope=read:a/", check, "\(check);scope=read:a/", "http://a\(check)/", "*", ";",
                ";;", ";x=y", "a;mode=test;mode=test", "%zz", "%00", String(repeating: ";scope=read:a", count: 500),
            ]
            try await RawConnection.with(gateway.address) { connection in
                for client in clients {
                    let path = "\(check);scope=write:a/\(client)"
                    try await connection.send(gateway.request(reader.token, path: path))
                    #expect(try await connection.answer()?.reason == "insufficient_scope", "\(client)")
                    try await connection.send(gateway.request(writer.token, path: path))
                    #expect(try await connection.answer()?.status == 200, "\(client)")
                }
            }
        }
    }

    @Test func `a check with as many scopes as a key can have is answered, and one with more is a fault`() async throws
    {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey("reader", ["scopes": ["read:*"]])
            let most = String(repeating: ";scope=read:a", count: 100)
            #expect(try await gateway.ask(key.token, most).status == 200)
            for count in [101, 600] {
                let answer = try await gateway.ask(key.token, String(repeating: ";scope=read:a", count: count))
                #expect(answer.status == 400 && answer.reason == "invalid_request", "\(count): \(answer)")
            }
        }
    }

    // The attack: a client sends the headers that the server behind the gateway trusts.
    @Test func `an identity that a client sends is replaced, and a credential that it sends means nothing`()
        async throws
    {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey("true")
            let forged = (GatewayAnswer.identityNames + ["X-Mortise-Key", "X-Mortise-Reason"]).map { "\($0): forged" }
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(gateway.request(key.token, "", forged + forged))
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 200 && answer["x-mortise-key-id"] == key.id, "\(answer)")
                #expect(answer["x-mortise-name"] == "true" && !answer.headers.contains { $0.value == "forged" })
                for name in GatewayAnswer.identityNames {
                    #expect(answer.headers.count { $0.name == name.lowercased() } == 1, "\(name)")
                }
            }
        }
    }

    // The attack: a client names the address that a key is bound to, in each header that some program reads.
    @Test func `an address counts from one header alone, and an unknown one satisfies no bound key`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey("bound", ["allowed_ips": ["198.51.100.0/24"]])
            for header in [
                "X-Other: 1", "Forwarded: for=198.51.100.7", "X-Real-IP: 198.51.100.7", "True-Client-IP: 198.51.100.7",
                "X_Forwarded_For: 198.51.100.7", "X-Forwarded-For: 198.51.100.7, 203.0.113.9",
                "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 198.51.100.7, x",
                "X-Forwarded-For: ",
            ] {
                let answer = try await gateway.ask(key.token, "", header)
                #expect(answer.status == 403 && answer.reason == "wrong_address", "\(header): \(answer)")
            }
            #expect(try await gateway.ask(key.token, "", "X-Forwarded-For: 198.51.100.7").status == 200)
        }
    }

    @Test func `each request that is refused before it is a question has a reason and counts`() async throws {
        try await withGateway { gateway in
            let long = gateway.path() + String(repeating: "x", count: 9_000)
            let refusals: [(String, Int)] = [
                ("hello\r\n\r\n", 400), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
                ("GET /healthz HTTP/1.1\r\n\r\n", 400), (gateway.request(nil, path: long), 414),
                (gateway.request(nil, "", ["X: " + String(repeating: "x", count: 61_500)]), 431),
                (gateway.request(nil, "", ["X: " + String(repeating: "x", count: 80_000)]), 431),
                (gateway.request(nil, method: "BREW"), 400),
                (gateway.request(nil, path: gateway.path() + "\u{E9}"), 400),
                (gateway.request(nil, path: "/v1/verify"), 404),
                (gateway.request(nil, path: "/healthz", method: "POST"), 405),
            ]
            for (request, status) in refusals {
                try await RawConnection.with(gateway.address) { connection in
                    try await connection.send(request)
                    let answer = try #require(try await connection.answer(), "\(status)")
                    #expect(answer.status == status && answer.reason == "invalid_request", "\(answer)")
                    #expect(answer["content-type"] == "application/problem+json", "\(answer)")
                    #expect(answer["cache-control"] == "no-store", "\(answer)")
                }
            }
            let metrics = try await gateway.mortise.api.get("/metrics", as: nil).text
            let line = #"mortise_gateway_answers_total{reason="invalid_request"} \#(refusals.count)"#
            #expect(metrics.contains("\(line)\n"), "\(line)")
        }
    }

    // The attack: a gateway asks about a client's CONNECT without its own path, and the target is then the client's.
    @Test func `CONNECT is never a question, even if its target looks like one`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            let verifier = try await gateway.mortise.makeAdmin(["keys:verify"])
            let answer = try await gateway.ask(key.token, method: "CONNECT")
            #expect(answer.status == 404 && answer.reason == "invalid_request" && answer.isLast, "\(answer)")
            let credential = "X-Mortise-Key: \(verifier.token)"
            let main = try await gateway.ask(key.token, method: "CONNECT", at: gateway.mortise.address, credential)
            #expect(main.status != 200 && main["x-mortise-key-id"] == nil, "\(main)")
        }
    }

    @Test func `a request of HTTP/1.0 is the last of its connection, whatever it says`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            for field in ["Connection: keep-alive", "Host: a", "X-Other: 1"] {
                let request = "GET \(gateway.path()) HTTP/1.0\r\n\(field)\r\nX-API-Key: \(key.token)\r\n\r\n"
                try await RawConnection.with(gateway.address) { connection in
                    try await connection.send(request + request)
                    let answer = try #require(try await connection.answer())
                    #expect(answer.status == 200 && answer.isLast, "\(field): \(answer)")
                    #expect(try await connection.rest() == "", "\(field)")
                }
            }
        }
    }

    @Test func `a client that ends its side gets the answers to its whole requests, and no other`() async throws {
        try await withGateway { gateway in
            let whole = gateway.request("x")
            for part in ["GET /v1/auth", "GET \(gateway.path()) HTTP/1.1\r\nHost: a\r\nX-API-Key: x\r\n"] {
                try await RawConnection.with(gateway.address) { connection in
                    try await connection.send(whole + part)
                    connection.finish()
                    #expect(try await connection.answer()?.reason == "malformed")
                    #expect(try await connection.rest() == "", "\(part)")
                }
            }
            // The answer to a head does not wait for the body that never comes.
            try await RawConnection.with(gateway.address) { connection in
                try await connection.send(gateway.request("x", method: "POST", ["Content-Length: 10"]) + "012")
                connection.finish()
                #expect(try await connection.answer()?.reason == "malformed")
                #expect(try await connection.rest() == "")
            }
        }
    }

    // The attack: pipelined requests without end, of a client that reads no answer.
    @Test func `a flood of pipelined requests whose answers nobody takes is given up, and others go on`() async throws {
        try await withGateway(configure: { $0.connections.answer = Self.short }) { gateway in
            let key = try await gateway.mortise.makeKey()
            try await RawConnection.with(gateway.address, receiveBuffer: 4096) { connection in
                try? await connection.send(String(repeating: gateway.request("x"), count: 60_000))
                try await eventually("the client is given up") {
                    try await gateway.mortise.api.get("/metrics", as: nil).text
                        .contains(#"mortise_gateway_connections_closed_total{reason="answer"} 1"#)
                }
                #expect(try await gateway.ask(key.token).status == 200)
            }
        }
    }
}
