import Connections
import GatewayAPI
import HTTPTestSupport
import JSON
import Keys
import NIOCore
import NIOHPACK
import NIOHTTP2
import Server
import ServerTestSupport
import Surfaces
import TestSupport
import Testing

/// Envoy's checks over gRPC, over real sockets and with real databases.
@Suite(.hangLimit) struct GRPCTests {
    @Test func `a check has the identity of a key, and a revoked key is refused from the next check on`() async throws {
        try await withRPC { gateway, address in
            let key = try await gateway.mortise.makeClientKey(
                "café",
                subject: "user_1",
                ["scopes": ["read:orders"], "rate_limit_per_minute": 600]
            )
            let spoofed = [("x-api-key", key.token), ("x-mortise-subject", "forged")]
            try await FrameConnection.with(address) { connection in
                for extensions in [
                    [("workspace", gateway.workspace), ("scope", "read:orders")], [("organization", "default")],
                    [("organization", gateway.organization), ("mode", "live"), ("token", "x-other X-API-Key")],
                ] {
                    for raw in [false, true] {
                        let message = Protobuf.checkRequest(extensions, headers: spoofed, raw: raw)
                        let answer = try await connection.check(message)
                        #expect(answer.isOK && answer.code == 0 && answer.replaces, "\(answer)")
                        #expect(answer["x-mortise-key-id"] == key.id && answer["x-mortise-kind"] == "client")
                        #expect(answer["x-mortise-workspace"] == gateway.workspace)
                        #expect(answer["x-mortise-organization"] == gateway.organization)
                        #expect(answer["x-mortise-subject"] == "user_1" && answer["x-mortise-mode"] == "live")
                        #expect(answer["x-mortise-scopes"] == "read:orders")
                        #expect(answer["x-mortise-name"] == "caf%C3%A9")
                        #expect(answer["ratelimit-policy"] == "\"minute\";q=600;w=60")
                        #expect(answer["cache-control"] == nil)
                        #expect(answer.removed == ["x-mortise-reason", "x-mortise-key"])
                    }
                }
                let revoked = try await gateway.mortise.api.post("\(key.path)/revoke", as: gateway.mortise.adminToken)
                #expect(revoked.status == 200, "\(revoked)")
                let message = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: spoofed)
                let answer = try await connection.check(message)
                #expect(!answer.isOK && answer.status == 401 && answer.code == 16 && answer.reason == "revoked")
                #expect(answer["www-authenticate"] == "Bearer realm=\"mortise\", error=\"invalid_token\"")
                #expect(answer["content-type"] == "application/problem+json" && answer.body.hasPrefix("{\"type\""))
            }
        }
    }

    @Test func `every demand of the context extensions is enforced, and each refusal is that of HTTP`() async throws {
        try await withRPC(configure: {
            if let clients = try? ClientAddresses(parsing: "10.0.0.0/8") { $0.clients = clients }
        }) { gateway, address in
            let mortise = gateway.mortise
            let key = try await mortise.makeKey(
                "bound",
                [
                    "scopes": ["read:*"], "allowed_namespaces": ["eu"], "allowed_ips": ["198.51.100.0/24"],
                    "mode": "live",
                ]
            )
            let limited = try await mortise.makeKey("limited", ["rate_limit_per_minute": 1])
            let audience = ("workspace", gateway.workspace)
            let good = [audience, ("namespace", "eu"), ("mode", "live"), ("scope", "read:orders read:bills")]
            let token = [("x-api-key", key.token)]
            let here = "198.51.100.7"
            try await FrameConnection.with(address) { connection in
                #expect(try await connection.check(Protobuf.checkRequest(good, headers: token, source: here)).isOK)
                let forwarded = token + [("x-forwarded-for", "203.0.113.9, \(here)")]
                #expect(
                    try await connection.check(Protobuf.checkRequest(good, headers: forwarded, source: "10.0.0.1")).isOK
                )
                let bearer = [("authorization", "Bearer \(key.token)")]
                #expect(try await connection.check(Protobuf.checkRequest(good, headers: bearer, source: here)).isOK)
                typealias Refusal = ([(String, String)], [(String, String)], String?, Int, String)
                let missing = [audience, ("namespace", "eu"), ("scope", "read:a write:a")]
                let test = [audience, ("namespace", "eu"), ("mode", "test")]
                let spoofed = token + [("x-forwarded-for", here)]
                let behind = forwarded + [("x-forwarded-for", "203.0.113.9")]
                let other = good + [("token", "x-other")]
                let twice = token + [("X-API-Key", "other")]
                var refused: [Refusal] = []
                refused.append((missing, token, here, 403, "insufficient_scope"))
                refused.append(([audience, ("namespace", "us")], token, here, 403, "wrong_namespace"))
                refused.append(([audience], token, here, 403, "wrong_namespace"))
                refused.append((test, token, here, 403, "wrong_mode"))
                // The attack: the client writes the address of another one.
                refused.append((good, spoofed, "203.0.113.9", 403, "wrong_address"))
                refused.append((good, behind, "10.0.0.1", 403, "wrong_address"))
                refused.append((good, token, nil, 403, "wrong_address"))
                refused.append((good, token, "not an address", 403, "wrong_address"))
                refused.append((other, token, here, 401, "no_token"))
                refused.append((good, [], here, 401, "no_token"))
                refused.append((good, twice, here, 401, "malformed"))
                refused.append((good, [("x-api-key", "\u{FFFD}")], here, 401, "malformed"))
                refused.append(([("workspace", key.id)], token, here, 401, "not_found"))
                refused.append(([("workspace", "default")], token, here, 401, "not_found"))
                refused.append(([("organization", "nobody")], token, here, 401, "not_found"))
                for (extensions, headers, source, status, reason) in refused {
                    let message = Protobuf.checkRequest(extensions, headers: headers, source: source)
                    let answer = try await connection.check(message)
                    #expect(!answer.isOK && answer.status == status && answer.reason == reason, "\(reason): \(answer)")
                }
                let message = Protobuf.checkRequest([audience], headers: [("x-api-key", limited.token)])
                #expect(try await connection.check(message).isOK)
                let over = try await connection.check(message)
                #expect(over.status == 429 && over.code == 8 && over["retry-after"] != nil, "\(over)")
            }
        }
    }

    // The attack: with failure_mode_allow, Envoy lets everybody in whose check ends with an error.
    @Test func `a check that cannot be read is a refusal and never an error`() async throws {
        try await withRPC { gateway, address in
            let key = try await gateway.mortise.makeKey()
            let token = [("x-api-key", key.token)]
            let audience = ("workspace", gateway.workspace)
            let many = (0..<5000).map { "read:a\($0)" }.joined(separator: " ")
            let second: [(String, String)] = [
                ("organization", "default"), ("workspace", gateway.workspace), ("scopes", "read:a"), ("scope", ""),
                ("scope", " "), ("scope", "read"), ("scope", many), ("mode", "any"), ("mode", ""), ("namespace", ""),
                ("token", "a b c d e f g h i"), ("token", "x:y"), ("away", "403"),
            ]
            var extensions = second.map { [audience, $0] }
            extensions.append([])
            extensions.append([("workspace", "")])
            extensions.append([audience, ("mode", "live"), ("mode", "live")])
            var messages = extensions.map { Protobuf.checkRequest($0, headers: token) }
            let good = Protobuf.checkRequest([audience], headers: token)
            let odd: [[UInt8]] = [[], [0], [0xFF], [10, 200, 1], [0x0B], Array(repeating: 0xFF, count: 11)]
            let empty: [UInt8] = []
            messages += odd
            messages.append(Protobuf.field(1, empty))
            messages.append(Array(good.dropLast()))
            messages.append(Protobuf.field(1, Protobuf.field(10, [10, 255])))
            try await FrameConnection.with(address) { connection in
                for message in messages {
                    let answer = try await connection.check(message)
                    #expect(
                        !answer.isOK && answer.status == 400 && answer.code == 3 && answer.reason == "invalid_request",
                        "\(message.prefix(40)): \(answer)"
                    )
                }
                let large = Protobuf.checkRequest(
                    [audience],
                    headers: token + [("x", String(repeating: "x", count: 61_440))]
                )
                let tooLarge = try await connection.check(large)
                #expect(tooLarge.status == 431 && tooLarge.reason == "invalid_request", "\(tooLarge)")
                let fitting = Protobuf.checkRequest(
                    [audience],
                    headers: token + [("x", String(repeating: "x", count: 61_000))]
                )
                #expect(try await connection.check(fitting).isOK)
                // Envoy adds the trace of its client to the call, and the client decides how long that is.
                let trace = ("tracestate", String(repeating: "a", count: 20_000))
                let traced = try await connection.open(.call(checkMethod, trace), framed(good))
                #expect(try await connection.response(traced).isOK)
                // The answer to a message that is too large does not wait for it.
                let id = try await connection.open(.call(), framed([], length: 1_048_572), endStream: false)
                let early = try await connection.response(id)
                #expect(early.status == 413 && early.reason == "invalid_request", "\(early)")
                #expect(early["content-type"] == "application/problem+json" && early["cache-control"] == "no-store")
                let refused = messages.count + 2
                let metrics = try await gateway.mortise.api.get("/metrics", as: nil).text
                #expect(metrics.contains(#"mortise_gateway_answers_total{reason="invalid_request"} \#(refused)"#))
                // Unknown fields are skipped.
                var unknown = Protobuf.field(9, "x") + good
                unknown += [0x85, 1, 1, 2, 3, 4] as [UInt8]
                #expect(try await connection.check(unknown).isOK)
            }
        }
    }

    @Test func `a request that calls no method ends with the status that gRPC has for it`() async throws {
        try await withRPC { gateway, address in
            let key = try await gateway.mortise.makeKey()
            let good = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: [("x-api-key", key.token)])
            try await FrameConnection.with(address) { connection in
                let whole = framed(good)
                var ends: [([UInt8], HPACKHeaders, String)] = []
                for path in ["/envoy.service.auth.v2.Authorization/Check", "/", "/grpc.health.v1.Health/Watch"] {
                    ends.append((whole, .call(path), "12"))
                }
                ends.append((framed(good, flag: 1), .call(checkMethod, ("grpc-encoding", "gzip")), "12"))
                ends.append((framed(good, flag: 2), .call(), "13"))
                // The message is cut short, is longer than it says, or is missing.
                let wrong: [[UInt8]] = [Array(whole.dropLast()), whole + [0], whole + whole, [0, 0], []]
                for bytes in wrong { ends.append((bytes, .call(), "13")) }
                for (bytes, headers, status) in ends {
                    let answer = try #require(try await connection.end(bytes, headers))
                    #expect(answer.status == 200 && answer["grpc-status"] == status, "\(answer)")
                    #expect(answer.body.readableBytes == 0)
                }
                let bare = try await connection.open(.call())
                #expect(try await connection.answer(bare)?["grpc-status"] == "13")
                let get = HPACKHeaders.call(method: "GET")
                #expect(try await connection.end(framed(good), get)?.status == 405)
                var json = HPACKHeaders.call()
                json.replaceOrAdd(name: "content-type", value: "application/json")
                #expect(try await connection.end(framed(good), json)?.status == 415)
                // A message can arrive in pieces, and with trailers.
                let id = try await connection.open(.call(), endStream: false)
                for byte in framed(good) { try await connection.send(id, [byte], endStream: false) }
                try await connection.send(id, .headers(.init(headers: ["x-trailer": "1"], endStream: true)))
                #expect(try await connection.response(id).isOK)
            }
        }
    }

    // The attack: a client guesses on, because its gateway says the address in another way than over HTTP.
    @Test func `a client that presents many unknown tokens is told to wait, unless its address is unknown`()
        async throws
    {
        try await withRPC { gateway, address in
            try await FrameConnection.with(address) { connection in
                func guess(_ count: Int, from source: String?) async throws -> [CheckResponse] {
                    let message = Protobuf.checkRequest(
                        [("workspace", gateway.workspace)],
                        headers: [("x-api-key", "guess")],
                        source: source
                    )
                    var ids: [HTTP2StreamID] = []
                    for _ in 0..<count { ids.append(try await connection.begin(message)) }
                    var answers: [CheckResponse] = []
                    for id in ids { answers.append(try await connection.response(id)) }
                    return answers
                }
                #expect(try await guess(200, from: nil).allSatisfy { $0.reason == "malformed" })
                #expect(try await guess(60, from: "203.0.113.5").allSatisfy { $0.reason == "malformed" })
                let refusal = try #require(try await guess(200, from: "203.0.113.5").first { $0.status == 429 })
                #expect(refusal.code == 8 && refusal.reason == "rate_limited" && refusal["retry-after"] != nil)
                #expect(refusal["ratelimit-policy"] == "\"failures\";q=60;w=60")
                #expect(try await guess(1, from: "203.0.113.6").allSatisfy { $0.reason == "malformed" })
            }
        }
    }

    // The fault: with many checks under way, a client gets the verdict of another one.
    @Test func `each of many checks at once gets its own verdict`() async throws {
        try await withRPC { gateway, address in
            let keys = [
                try await gateway.mortise.makeKey("first").token, try await gateway.mortise.makeKey("second").token,
                "nobody",
            ]
            try await FrameConnection.with(address) { connection in
                for _ in 0..<4 {
                    var ids: [(HTTP2StreamID, Int)] = []
                    for index in 0..<250 {
                        let headers = [("x-api-key", keys[index % 3])]
                        let message = Protobuf.checkRequest([("workspace", gateway.workspace)], headers: headers)
                        ids.append((try await connection.begin(message), index % 3))
                    }
                    for (id, key) in ids {
                        let answer = try await connection.response(id)
                        #expect(answer["x-mortise-name"] == ["first", "second", nil][key] && answer.isOK == (key < 2))
                    }
                }
            }
        }
    }

    @Test func `the health service says if the server is ready`() async throws {
        try await withRPC { _, address in
            let method = HPACKHeaders.call("/grpc.health.v1.Health/Check")
            try await FrameConnection.with(address) { connection in
                for service in ["", "envoy.service.auth.v3.Authorization"] {
                    let message = service.isEmpty ? [] : Protobuf.field(1, service)
                    let answer = try #require(try await connection.end(framed(message), method))
                    #expect(
                        answer["grpc-status"] == "0" && Array(answer.body.readableBytesView) == [0, 0, 0, 0, 2, 8, 1]
                    )
                }
                #expect(try await connection.end(framed(Protobuf.field(1, "other")), method)?["grpc-status"] == "5")
                #expect(try await connection.end(framed([10, 9]), method)?["grpc-status"] == "3")
                // The answer is never that of a check.
                let large = try await connection.open(method, framed([], length: 1_048_572), endStream: false)
                let answer = try #require(try await connection.answer(large))
                #expect(answer["grpc-status"] == "8" && answer.body.readableBytes == 0, "\(answer)")
            }
        }
    }

    @Test func `with the PROXY protocol, each connection begins with its header`() async throws {
        try await withRPC(hasProxyHeader: true) { gateway, address in
            let key = try await gateway.mortise.makeKey("bound", ["allowed_ips": ["198.51.100.0/24"]])
            let fields = HPACKHeaders.call().map { ($0.name, $0.value) }
            func bytes(_ source: String) -> [UInt8] {
                let message = Protobuf.checkRequest(
                    [("workspace", gateway.workspace)],
                    headers: [("x-api-key", key.token)],
                    source: source
                )
                var bytes = RawFrame.start + RawFrame.bytes(1, flags: 4, stream: 1, RawFrame.fields(fields))
                bytes += RawFrame.bytes(0, flags: 1, stream: 1, framed(message))
                return bytes + RawFrame.bytes(7, Array(repeating: 0, count: 8))
            }
            // The address of the client is the one that the gateway names, and not the gateway's own.
            for (source, isOK) in [("198.51.100.1", true), ("203.0.113.1", false)] {
                try await RawConnection.with(address) { connection in
                    try await connection.send("PROXY TCP4 198.51.100.9 192.0.2.1 1 2\r\n")
                    try await connection.send(ByteBuffer(bytes: bytes(source)))
                    connection.finish()
                    #expect(try await connection.rest().contains("x-mortise-key-id") == isOK, "\(source)")
                }
            }
            try await RawConnection.with(address) { connection in
                try await connection.send(ByteBuffer(bytes: bytes("198.51.100.1")))
                #expect(try await !connection.rest().contains("x-mortise-key-id"))
            }
        }
    }

    // The attack: bytes that no gateway sends, in the hope of an error that lets somebody in, or of a crash.
    @Test func `any change of a message's bytes is read or refused, and reads no other token`() throws {
        let token = "mks_live_" + String(repeating: "0", count: 46)
        let message = Protobuf.checkRequest(
            [("workspace", "x"), ("scope", "read:a")],
            headers: [("x-api-key", token), ("x-forwarded-for", "192.0.2.7")]
        )
        var generator = SplitMix64(seed: 21)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = message
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                }
            }
            guard let request = try? CheckRequest(bytes) else {
                refused += 1
                continue
            }
            for line in request.lines("X-API-Key") + request.lines("x-forwarded-for") {
                #expect(line.utf8.count <= bytes.count)
            }
            _ = request.extensionTexts
        }
        #expect(refused > 1000 && refused < 19_000, "\(refused)")
    }
}
