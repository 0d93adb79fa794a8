import GatewayAPI
import HTTPTestSupport
import JSON
import Keys
import NIOCore
import Postgres
import Server
import ServerTestSupport
import Service
import Surfaces
import Tenancy
import TestSupport
import Testing

/// The checks of a gateway, over real sockets and with real databases.
@Suite(.hangLimit) struct AuthorizeTests {
    @Test func `a key is let in with its identity, and a revoked one is refused from the next request on`() async throws
    {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeClientKey(
                "café",
                subject: "user_1",
                ["scopes": ["read:orders"], "rate_limit_per_minute": 600]
            )
            try await RawConnection.with(gateway.address) { connection in
                for path in [
                    gateway.path(";scope=read:orders"), "/v1/authorize/organizations/default/x",
                    "/v1/authorize/organizations/\(gateway.organization)",
                ] {
                    try await connection.send(gateway.request(key.token, path: path))
                    let answer = try #require(try await connection.answer())
                    #expect(answer.status == 200, "\(path): \(answer)")
                    #expect(answer["content-length"] == "0" && answer["cache-control"] == "no-store")
                    #expect(answer["x-mortise-key-id"] == key.id && answer["x-mortise-kind"] == "client")
                    #expect(answer["x-mortise-workspace"] == gateway.workspace)
                    #expect(answer["x-mortise-organization"] == gateway.organization)
                    #expect(answer["x-mortise-subject"] == "user_1" && answer["x-mortise-scopes"] == "read:orders")
                    #expect(answer["x-mortise-mode"] == "live" && answer["x-mortise-name"] == "caf%C3%A9")
                    #expect(answer["ratelimit-policy"] == "\"minute\";q=600;w=60")
                    #expect(!answer.isLast)
                }
                let revoked = try await gateway.mortise.api.post("\(key.path)/revoke", as: gateway.mortise.adminToken)
                #expect(revoked.status == 200, "\(revoked)")
                try await connection.send(gateway.request(key.token))
                let answer = try #require(try await connection.answer())
                #expect(answer.status == 401 && answer.reason == "revoked")
            }
        }
    }

    // The attack: a key of another tenant, or a guess, whose answer tells that it exists.
    @Test func `a foreign key, an unknown key and an unknown audience get the same answer`() async throws {
        try await withGateway { gateway in
            let mortise = gateway.mortise
            let key = try await mortise.makeKey()
            let other = try await mortise.makeOrganization("Other")
            let foreign = try await mortise.makeKey(in: other.workspaceID, as: other.token)
            let deleted = try await mortise.makeKey("deleted")
            #expect(try await mortise.api.send("DELETE", deleted.path, as: mortise.adminToken).status == 204)
            let expected = try await gateway.ask(deleted.token)
            #expect(expected.status == 401 && expected.reason == "not_found")
            #expect(expected["www-authenticate"] == "Bearer realm=\"mortise\", error=\"invalid_token\"")
            let answers = [
                try await gateway.ask(foreign.token),
                try await gateway.ask(mortise.adminToken),
                try await gateway.ask(foreign.token, path: "/v1/authorize/organizations/default/"),
                try await gateway.ask(key.token, path: "/v1/authorize/organizations/other/"),
                try await gateway.ask(key.token, path: "/v1/authorize/organizations/nobody/"),
                try await gateway.ask(key.token, path: "/v1/authorize/organizations/NO%20BODY/"),
                try await gateway.ask(key.token, path: "/v1/authorize/workspaces/\(key.id)/"),
                try await gateway.ask(key.token, path: "/v1/authorize/workspaces/default/"),
            ]
            for answer in answers {
                #expect(answer.status == 401 && answer.body == expected.body, "\(answer)")
                let names = answer.headers.filter { $0.name != "date" }
                let wanted = expected.headers.filter { $0.name != "date" }
                #expect(
                    names.map(\.name) == wanted.map(\.name) && names.map(\.value) == wanted.map(\.value),
                    "\(answer)"
                )
            }
            #expect(try await gateway.ask(nil, path: "/v1/authorize/organizations/nobody/").reason == "no_token")
            #expect(try await gateway.ask("x", path: "/v1/authorize/organizations/nobody/").reason == "malformed")
            // The log names the fault once, however often the clients ask.
            let lines = mortise.log.lines.filter { $0.message == "the configuration of a gateway is wrong" }
            #expect(lines.count == 1)
        }
    }

    @Test func `every demand of the path is enforced, and each refusal has its reason`() async throws {
        try await withGateway { gateway in
            let mortise = gateway.mortise
            let key = try await mortise.makeKey(
                "bound",
                [
                    "scopes": ["read:*"], "allowed_namespaces": ["eu"], "allowed_ips": ["198.51.100.0/24"],
                    "mode": "live",
                ]
            )
            let good = ";namespace=eu;mode=live;scope=read:orders"
            let client = "X-Forwarded-For: 203.0.113.9, 198.51.100.7"
            #expect(try await gateway.ask(key.token, good, client).status == 200)
            let refused: [(String, String, String)] = [
                (";namespace=eu;scope=write:orders", client, "insufficient_scope"),
                (";namespace=eu;scope=read:orders;scope=write:orders", client, "insufficient_scope"),
                (";namespace=us", client, "wrong_namespace"), ("", client, "wrong_namespace"),
                (";namespace=eu;mode=test", client, "wrong_mode"),
                // The attack: the client writes the header, and the gateway appends the true address.
                (good, "X-Forwarded-For: 198.51.100.7, 203.0.113.9", "wrong_address"),
                (good, "X-Real-IP: 198.51.100.7", "wrong_address"),
                (good + ";address=X-Real-IP", client, "wrong_address"),
            ]
            for (options, header, reason) in refused {
                let answer = try await gateway.ask(key.token, options, header)
                #expect(answer.status == 403 && answer.reason == reason, "\(options) \(header): \(answer)")
            }
            // Options of the client's own path and query count for nothing.
            let path =
                "/v1/authorize/workspaces/\(gateway.workspace);namespace=eu;scope=write:a/;scope=read:a?scope=read:a"
            #expect(try await gateway.ask(key.token, path: path, client).reason == "insufficient_scope")
            let invalid = try await gateway.ask(key.token, ";scop=read:orders", client)
            #expect(invalid.status == 400 && invalid.reason == "invalid_request", "\(invalid)")
        }
    }

    @Test func `a key over its limit is told when to come again, with the status that the gateway understands`()
        async throws
    {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey("limited", ["rate_limit_per_hour": 1])
            #expect(try await gateway.ask(key.token)["ratelimit"] == "\"hour\";r=0;t=3600")
            let over = try await gateway.ask(key.token)
            #expect(over.status == 429 && over.reason == "rate_limited" && over["retry-after"] != nil, "\(over)")
            let other = try await gateway.ask(key.token, ";over=403")
            #expect(other.status == 403 && other.reason == "rate_limited" && other["retry-after"] != nil, "\(other)")
        }
    }

    // The fault: an outage that lets everybody in.
    @Test func `a workspace that is unavailable lets nobody in, and a suspended one is an answer`() async throws {
        try await withGateway { gateway in
            let mortise = gateway.mortise
            let key = try await mortise.makeKey()
            #expect(try await gateway.ask(key.token).status == 200)
            let database = try await mortise.workspaceDatabase()
            try await mortise.cutOff(database)
            let away = try await gateway.ask(key.token)
            #expect(away.status == 503 && away.reason == "workspace_unavailable", "\(away)")
            #expect(away["retry-after"] == "2" && away["x-mortise-key-id"] == nil)
            #expect(try await gateway.ask(key.token, ";away=403").status == 403)
            try await mortise.restore(database)
            try await eventually("the workspace is back") { try await gateway.ask(key.token).status == 200 }
            // Mortise knows this state, so the answer is final, whatever `away` says.
            let suspend = try await mortise.api.post("/v1/workspaces/default/suspend", as: mortise.adminToken)
            #expect(suspend.status == 200)
            let suspended = try await gateway.ask(key.token, ";away=599")
            #expect(suspended.status == 403 && suspended.reason == "workspace_unavailable", "\(suspended)")
            // The fault: an order of somebody looks like an outage to operators.
            let metrics = try await mortise.api.get("/metrics", as: nil).text
            #expect(metrics.contains("mortise_gateway_answers_total{reason=\"workspace_suspended\"} 1\n"))
        }
    }

    @Test func `HEAD has the headers of GET, and every method but CONNECT asks`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
                #expect(try await gateway.ask(key.token, method: method).status == 200, "\(method)")
            }
            let get = try await gateway.ask("x")
            let head = try await gateway.ask("x", method: "HEAD")
            #expect(head.status == 401 && head.headers.map(\.name) == get.headers.map(\.name))
            #expect(head["content-length"] == get["content-length"] && head["content-length"] != "0")
            let connect = try await gateway.ask(key.token, path: "mortise:80", method: "CONNECT")
            #expect(connect.status == 404 && connect.isLast)
        }
    }

    @Test func `the main listener asks for a credential of the audience's organization`() async throws {
        try await withGateway { gateway in
            let mortise = gateway.mortise
            let key = try await mortise.makeKey()
            let verifier = try await mortise.makeAdmin(["keys:verify"])
            let reader = try await mortise.makeAdmin(["keys:read"])
            let other = try await mortise.makeOrganization("Other")
            func ask(_ credential: String?, path: String? = nil, method: String = "GET") async throws
                -> RawConnection.Answer
            {
                let header = credential.map { "X-Mortise-Key: \($0)" } ?? "X-Other: 1"
                return try await gateway.ask(key.token, path: path, method: method, at: mortise.address, header)
            }
            let good = try await ask(verifier.token)
            #expect(good.status == 200 && good["x-mortise-key-id"] == key.id, "\(good)")
            #expect(try await ask(verifier.token, method: "HEAD").status == 200)
            #expect(try await ask(verifier.token, path: "/v1/authorize/organizations/default/a/b").status == 200)
            for credential in [nil, "x", reader.token, other.token, mortise.operatorToken, key.token] {
                let answer = try await ask(credential)
                #expect(answer.status == 401 && answer.reason == "gateway_credential", "\(answer)")
                #expect(answer.reasonPhrase == "Unauthorized", "\(answer)")
            }
            for path in [
                "/v1/authorize/workspaces/\(other.workspaceID)/", "/v1/authorize/organizations/other/",
                "/v1/authorize/organizations/nobody/", "/v1/authorize/workspaces/x/",
            ] {
                let answer = try await ask(verifier.token, path: path)
                #expect(answer.status == 401 && answer.reason == "gateway_credential", "\(path): \(answer)")
            }
            #expect(try await ask(verifier.token, path: gateway.path(";scop=a")).status == 400)
            // The credential comes first, so that nobody else learns what the options are.
            #expect(try await ask("x", path: gateway.path(";scop=a")).reason == "gateway_credential")
            // X-Forwarded-For of a peer that is not trusted counts for nothing.
            let bound = try await mortise.makeKey("bound", ["allowed_ips": ["198.51.100.0/24"]])
            let spoofed = try await gateway.ask(
                bound.token,
                at: mortise.address,
                "X-Mortise-Key: \(verifier.token)",
                "X-Forwarded-For: 198.51.100.7"
            )
            #expect(spoofed.status == 403 && spoofed.reason == "wrong_address")
        }
    }

    // The fault: the bytes of a key in memory lack a field that one request alone has, or have one twice.
    @Test func `an answer from memory has each field once and in its order, with limits and without`() async throws {
        try await withGateway { gateway in
            let plain = try await gateway.mortise.makeKey("plain")
            let limited = try await gateway.mortise.makeKey("limited", ["rate_limit_per_minute": 600])
            let identity = GatewayAnswer.identityNames.map { $0.lowercased() }
            for (token, more) in [(plain.token, []), (limited.token, ["ratelimit-policy", "ratelimit"])] {
                let names = ["cache-control"] + identity + more + ["content-length", "date"]
                for _ in 0..<2 {
                    let answer = try await gateway.ask(token)
                    #expect(answer.status == 200 && answer.reasonPhrase == "OK", "\(answer)")
                    #expect(answer.headers.map(\.name) == names, "\(answer)")
                }
                // Both listeners make the same refusals of it, to the reason phrase.
                let (own, main) = (
                    try await gateway.ask(token, ";scope=write:nothing"),
                    try await gateway.ask(
                        token,
                        ";scope=write:nothing",
                        at: gateway.mortise.address,
                        "X-Mortise-Key: \(gateway.mortise.adminToken)"
                    )
                )
                #expect(own.status == 403 && own.reasonPhrase == "Forbidden", "\(own)")
                #expect(main.status == own.status && main.reasonPhrase == own.reasonPhrase && main.body == own.body)
            }
        }
    }

    // Attack: one client guesses tokens through a gateway, and its neighbours behind the gateway must not suffer.
    @Test func `a client that presents many unknown tokens is told to wait, and nobody else is`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            try await RawConnection.with(gateway.address) { connection in
                /// Asks several times at once, and returns the answers.
                func ask(_ count: Int, _ token: String, _ headers: String...) async throws -> [RawConnection.Answer] {
                    let request = gateway.request(token, ";over=403", headers)
                    try await connection.send(String(repeating: request, count: count))
                    var answers: [RawConnection.Answer] = []
                    for _ in 0..<count { answers.append(try #require(try await connection.answer())) }
                    return answers
                }
                for client in ["203.0.113.5", "2001:db8::1"] {
                    let answers = try await ask(60, "guess", "X-Forwarded-For: \(client)")
                    #expect(answers.allSatisfy { $0.status == 401 }, "\(client)")
                }
                // One more each second is answered. An IPv6 client has the whole /64.
                for client in ["203.0.113.5", "2001:db8::2"] {
                    let answers = try await ask(200, "guess", "X-Forwarded-For: \(client)")
                    let refused = try #require(answers.first { $0.status == 403 }, "\(client)")
                    #expect(refused.reason == "rate_limited" && refused["retry-after"] != nil, "\(refused)")
                    #expect(refused["ratelimit-policy"] == "\"failures\";q=60;w=60", "\(refused)")
                }
                #expect(try await ask(1, key.token, "X-Forwarded-For: 203.0.113.5").first?.status == 200)
                #expect(try await ask(1, "guess", "X-Forwarded-For: 203.0.113.6").first?.status == 401)
                // The gateway that names no client counts for nobody.
                #expect(try await ask(70, "guess").allSatisfy { $0.status == 401 })
            }
        }
    }

    /// Presents an unknown token 200 times, to the main listener unless there is another address, and returns the answers.
    private func guesses(
        _ gateway: Gateway,
        at address: SocketAddress? = nil,
        _ headers: [String]
    ) async throws -> [RawConnection.Answer] {
        try await RawConnection.with(address ?? gateway.mortise.address) { connection in
            var answers: [RawConnection.Answer] = []
            for _ in 0..<4 {
                try await connection.send(String(repeating: gateway.request("guess", "", headers), count: 50))
                for _ in 0..<50 { answers.append(try #require(try await connection.answer())) }
            }
            return answers
        }
    }

    // The fault: a gateway with many clients is taken for one client that guesses, and all of them are told to wait.
    @Test func `failures on the main listener count for a client that a trusted gateway names, and for no gateway`()
        async throws
    {
        let client = "X-Forwarded-For: 203.0.113.5"
        try await withGateway { gateway in
            let credential = "X-Mortise-Key: \(gateway.mortise.adminToken)"
            // The gateway is no trusted proxy, so its word about the client counts for nothing.
            let answers = try await guesses(gateway, [credential, client])
            #expect(answers.allSatisfy { $0.status == 401 && $0.reason == "malformed" })
        }
        try await withGateway(configure: {
            if let clients = try? ClientAddresses(parsing: "127.0.0.1") { $0.clients = clients }
        }) { gateway in
            let credential = "X-Mortise-Key: \(gateway.mortise.adminToken)"
            let unnamed = try await guesses(gateway, [credential])
            #expect(unnamed.allSatisfy { $0.status == 401 && $0.reason == "malformed" })
            let named = try await guesses(gateway, [credential, client])
            #expect(named.prefix(60).allSatisfy { $0.status == 401 && $0.reason == "malformed" })
            #expect(named.contains { $0.status == 429 && $0.reason == "rate_limited" })
        }
    }

    // The fault: the next proxy names only itself, and all clients behind it are told to wait.
    @Test func `the address of a trusted proxy stands for no client`() async throws {
        try await withGateway(configure: {
            if let clients = try? ClientAddresses(parsing: "127.0.0.1 10.0.0.0/8") { $0.clients = clients }
        }) { gateway in
            let answers = try await guesses(gateway, at: gateway.address, ["X-Forwarded-For: 10.0.0.9"])
            #expect(answers.allSatisfy { $0.status == 401 && $0.reason == "malformed" })
        }
    }

    // The fault: an operator looks for a wrong credential, and the slug in the path is wrong.
    @Test func `the log tells an audience that does not exist from a wrong credential`() async throws {
        try await withGateway { gateway in
            let mortise = gateway.mortise
            func faults() -> [String] {
                mortise.log.lines.filter { $0.message == "the configuration of a gateway is wrong" }
                    .compactMap { $0.metadata["fault"] }
            }
            let credential = "X-Mortise-Key: \(mortise.adminToken)"
            let path = "/v1/authorize/organizations/nobody/"
            let answer = try await gateway.ask("x", path: path, at: mortise.address, credential)
            #expect(answer.status == 401 && answer.reason == "gateway_credential", "\(answer)")
            #expect(faults().count == 1 && faults().first?.contains("that does not exist") == true, "\(faults())")
            _ = try await gateway.ask("x", at: mortise.address, "X-Mortise-Key: x")
            #expect(faults().count == 2 && faults().last?.contains("credential") == true, "\(faults())")
        }
    }

    @Test func `a request without a token is refused as such, also while no database can be asked`() async throws {
        try await withGateway { gateway in
            try await gateway.mortise.cutOff(gateway.mortise.installation.control)
            let path = "/v1/authorize/organizations/default/"
            for (token, reason) in [(nil, "no_token"), ("guess", "malformed")] {
                let answer = try await gateway.ask(token, path: path)
                #expect(answer.status == 401 && answer.reason == reason, "\(answer)")
            }
            try await gateway.mortise.restore(gateway.mortise.installation.control)
        }
    }

    @Test func `a gateway whose own credential is over its limit is told so, with the status that it understands`()
        async throws
    {
        try await withGateway { gateway in
            let mortise = gateway.mortise
            let key = try await mortise.makeKey()
            let made = try await mortise.api.post(
                "/v1/organizations/default/admin-keys",
                ["name": "slow", "permissions": ["keys:verify"], "rate_limit_per_hour": 1],
                as: mortise.adminToken
            )
            let credential = "X-Mortise-Key: \(try made.string("token"))"
            #expect(try await gateway.ask(key.token, at: mortise.address, credential).status == 200)
            for (options, status) in [("", 429), (";over=403", 403)] {
                let over = try await gateway.ask(key.token, options, at: mortise.address, credential)
                #expect(over.status == status && over.reason == "gateway_credential", "\(over)")
                #expect(over["retry-after"] != nil && over["x-mortise-key-id"] == nil, "\(over)")
            }
        }
    }

    // The fault: an outage of the control database looks like a wrong credential, and gateways send their clients away for good.
    @Test func `a credential that cannot be checked now lets nobody in, and is not called wrong`() async throws {
        try await withGateway { gateway in
            let mortise = gateway.mortise
            let key = try await mortise.makeKey()
            // The key was never used, so it is not in memory.
            let verifier = try await mortise.makeAdmin(["keys:verify"])
            let credential = "X-Mortise-Key: \(verifier.token)"
            let control = mortise.installation.control
            try await mortise.cutOff(control)
            for (options, status) in [("", 503), (";away=403", 403)] {
                let answer = try await gateway.ask(key.token, options, at: mortise.address, credential)
                #expect(answer.status == status && answer.reason == "workspace_unavailable", "\(answer)")
                #expect(answer["retry-after"] == "2" && answer["x-mortise-key-id"] == nil, "\(answer)")
            }
            try await mortise.restore(control)
            try await eventually("the credential is checked") {
                try await gateway.ask(key.token, at: mortise.address, credential).status == 200
            }
        }
    }

    // Memory answers: no look-up is sent, and no task runs.
    @Test func `a check of a key in memory needs no look-up`() async throws {
        try await withGateway { gateway in
            let key = try await gateway.mortise.makeKey()
            #expect(try await gateway.ask(key.token).status == 200)
            let databases = gateway.mortise.server.platform.databases
            let workspace = try #require(UUIDv7.parse(gateway.workspace))
            let facts = try #require(databases.knownFacts(id: workspace))
            func lookUps() async throws -> Int { try await databases.withLookups(facts) { $0.statistics.lookUps } }
            _ = try await lookUps()
            let before = try await lookUps()
            for _ in 0..<20 { #expect(try await gateway.ask(key.token).status == 200) }
            #expect(try await lookUps() == before)
        }
    }
}
