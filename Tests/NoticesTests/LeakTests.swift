import FoundationEssentials
import HTTPTestSupport
import JSON
import Keys
import Notices
import Postgres
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Reports of leaked tokens from anybody.
@Suite(.hangLimit) struct LeakTests {
    // The accident: a token stands in a public repository.
    @Test func `a leaked live key is revoked, and a leaked test key leaves an event`() async throws {
        try await withMortise { mortise in
            let live = try await mortise.makeKey("live")
            let client = try await mortise.makeClientKey("client")
            let test = try await mortise.makeKey("test", ["mode": "test"])
            let answer = try await mortise.report([live.token, test.token, client.token])
            #expect(answer.status == 202 && answer.text.isEmpty)
            for key in [live, client] {
                #expect(try await mortise.verdict(key.token) == "revoked")
                #expect(Set(try await mortise.events(key.path)) == ["created", "leaked", "revoked"])
                let shown = try await mortise.api.get(key.path, as: mortise.adminToken)
                #expect(shown["revoked_by"] == "system" && shown["revocation_reason"]?.string?.isEmpty == false)
            }
            #expect(try await mortise.verdict(test.token) == "valid")
            #expect(try await mortise.events(test.path) == ["leaked", "created"])
            let details = try #require(try await mortise.leaks(test.path).first)
            #expect(details["source"] == "report" && details["action"] == "notify")
            #expect(details["prefix"]?.string == String(test.token.prefix(16)))
        }
    }

    // The attack: a stolen token is used on a node that has its key in memory.
    @Test func `a verification that starts after the answer to a report is refused on every node`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { one in
                try await withMortise(of: installation) { two in
                    let key = try await one.makeKey("a")
                    for node in [one, two] { #expect(try await node.verdict(key.token, as: one.adminToken) == "valid") }
                    #expect(try await one.report([key.token]).status == 202)
                    for node in [two, one] {
                        #expect(try await node.verdict(key.token, as: one.adminToken) == "revoked")
                    }
                }
            }
        }
    }

    // The accident: a tenant wants to look first, and its production stops.
    @Test func `an organization chooses what a leak does to its keys, and admin keys are always revoked`() async throws
    {
        try await withMortise { mortise in
            try await mortise.choose("notify")
            let key = try await mortise.makeKey("a")
            let admin = try await mortise.makeAdmin(["keys:read"])
            #expect(try await mortise.report([key.token, admin.token]).status == 202)
            #expect(try await mortise.status(key.path) == "active")
            #expect(try await mortise.status(admin.path) == "revoked")
            #expect(try await mortise.api.get("/v1/workspaces", as: admin.token).status == 401)
            try await mortise.choose("revoke")
            _ = try await mortise.report([key.token])
            #expect(try await mortise.status(key.path) == "revoked")
            let test = try await mortise.makeKey("test", ["mode": "test"])
            _ = try await mortise.report([test.token])
            #expect(try await mortise.status(test.path) == "revoked")
            try await mortise.choose(.null)
            let wrong: JSONValue = ["leak_action": "destroy"]
            let path = "/v1/organizations/default"
            #expect(try await mortise.api.send("PATCH", path, wrong, as: mortise.operatorToken).status == 400)
        }
    }

    // The attack: anybody copies the publishable key out of a page, and ends the application with it.
    @Test func `a publishable key is revoked only if the organization has chosen that`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("page", ["type": "anon"])
            _ = try await mortise.report([key.token])
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await mortise.leaks(key.path).count == 1)
            try await mortise.choose("revoke")
            _ = try await mortise.report([key.token])
            #expect(try await mortise.verdict(key.token) == "revoked")
        }
    }

    // The attack: whoever has the token reports it from an address at which the key does not work.
    @Test func `for a leaked operator key the addresses of the other keys do not matter`() async throws {
        try await withMortise { mortise in
            let path = "/v1/operator-keys"
            func bind(_ name: String) async throws {
                try await mortise.script(
                    mortise.installation.control,
                    "UPDATE auth.service_keys SET allowed_ips = '{10.0.0.0/8}' WHERE name = '\(name)'"
                )
            }
            let first = try await mortise.api.post(path, ["name": "first"], as: mortise.operatorToken)
            let second = try await mortise.api.post(path, ["name": "second"], as: mortise.operatorToken)
            try await bind("second")
            _ = try await mortise.report([try first.string("token"), mortise.operatorToken])
            func statuses() async throws -> [String: String] {
                let rows = try await mortise.rows(
                    mortise.installation.control,
                    "SELECT name, (revoked_at IS NULL)::text FROM auth.service_keys WHERE name IN ('first', 'second')"
                )
                return try Dictionary(
                    uniqueKeysWithValues: rows.map {
                        (try $0.decode(0, as: String.self), try $0.decode(1, as: String.self))
                    }
                )
            }
            #expect(try await statuses() == ["first": "false", "second": "true"])
            _ = try await mortise.report([try second.string("token")])
            #expect(try await statuses() == ["first": "false", "second": "true"])
        }
    }

    // The accident: the operator's last key leaks, and the installation has no operator any more.
    @Test func `a leaked operator key is revoked, except the last one that works`() async throws {
        try await withMortise { mortise in
            let made = try await mortise.api.post("/v1/operator-keys", ["name": "spare"], as: mortise.operatorToken)
            let spare = try made.string("token")
            let path = "/v1/operator-keys/\(try made.string("key", "id"))"
            _ = try await mortise.report([spare])
            #expect(try await mortise.status(path, as: mortise.operatorToken) == "revoked")
            _ = try await mortise.report([mortise.operatorToken])
            let keys = try await mortise.api.get("/v1/operator-keys?status=active", as: mortise.operatorToken)
            let last = try #require(keys["data"]?.array?.first?["id"]?.string, "\(keys)")
            #expect(
                try await mortise.events("/v1/operator-keys/\(last)", as: mortise.operatorToken).first == "leaked"
            )
        }
    }

    // The attack: somebody finds a token that was replaced long ago, and ends the key with it.
    @Test func `a token that was replaced leaves an event, and its key goes on`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("a")
            let rotated = try await mortise.api.post(
                "\(key.path)/rotate",
                ["grace_period_seconds": 0],
                as: mortise.adminToken
            )
            let token = try rotated.string("token")
            _ = try await mortise.report([key.token])
            #expect(try await mortise.verdict(token) == "valid")
            #expect(try await mortise.leaks(key.path).first?["action"] == "notify")
            _ = try await mortise.report([token])
            #expect(try await mortise.verdict(token) == "revoked")
            #expect(try await mortise.leaks(key.path).count == 2)
        }
    }

    // The attack: whoever has a token fills the history of its key, one report after the other or many at once.
    @Test func `a token that is reported again within a day leaves no second event`() async throws {
        try await withMortise { mortise in
            try await mortise.choose("notify")
            let key = try await mortise.makeKey("a")
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask { _ = try await mortise.report([key.token, key.token]) }
                }
                try await group.waitForAll()
            }
            #expect(try await mortise.events(key.path) == ["leaked", "created"])
        }
    }

    // The attack: a tenant reports a token of another tenant, and looks what it learns.
    @Test func `a report from another tenant reaches the key, and its sender learns nothing`() async throws {
        try await withMortise { mortise in
            let other = try await mortise.makeOrganization("Other")
            let key = try await mortise.makeKey("a")
            let answer = try await mortise.report([key.token], as: other.token)
            #expect(answer.status == 202 && answer.text.isEmpty)
            #expect(try await mortise.status(key.path) == "revoked")
            #expect(try await mortise.api.get(key.path, as: other.token).status == 404)
            for path in ["/v1/organizations/\(other.id)/events", "/v1/workspaces/\(other.workspaceID)/events"] {
                #expect(try await mortise.api.get("\(path)?type=leaked", as: other.token)["data"] == [])
            }
        }
    }

    // The attack: a stranger asks which of many texts are tokens.
    @Test func `the answer to a report is the same for a token and for any other text`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("a")
            var answers: Set<String> = []
            for tokens in [[key.token], Self.strangers(of: key.token), ["hello"], [key.token, "hello"]] {
                let answer = try await mortise.report(tokens)
                let fields = answer.headers.filter { $0.key != "x-request-id" && $0.key != "date" }
                answers.insert("\(answer.status) \(answer.text) \(fields.sorted { $0.key < $1.key })")
            }
            #expect(answers.count == 1, "\(answers)")
        }
    }

    /// Returns well-formed tokens that the installation has not issued.
    ///
    /// Their workspaces are that of a token, one of another installation, and the root.
    static func strangers(of token: String) -> [String] {
        var generator = SystemRandomNumberGenerator()
        let own = (try? Token(token))?.parsed.workspaceRef ?? .root
        return [own, WorkspaceRef.random(using: &generator), .root]
            .map { ref in
                Token.make(prefix: .service, mode: .live, workspace: ref, using: &generator).reveal()
            }
    }

    // The attack: the stranger measures the time of the answer.
    @Test func `the time of an answer is a whole number of steps`() async throws {
        var options = LeakOptions()
        #expect(options.answerTime(after: .milliseconds(1)) == .milliseconds(500))
        #expect(options.answerTime(after: .milliseconds(499)) == .milliseconds(500))
        #expect(options.answerTime(after: .milliseconds(501)) == .seconds(1))
        options.answerStep = .zero
        #expect(options.answerTime(after: .milliseconds(7)) == .milliseconds(7))
        try await withMortise(configure: { $0.leaks.answerStep = .milliseconds(300) }) { mortise in
            let start = ContinuousClock.now
            let status = try await mortise.report(["hello"]).status
            #expect(status == 202)
            #expect(ContinuousClock.now - start >= .milliseconds(300))
        }
    }

    // The attack: somebody tries a million texts.
    @Test func `an address has 60 reports an hour over all nodes, and other addresses have their own`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation, configure: { $0.trustLoopback() }) { one in
                try await withMortise(of: installation, configure: { $0.trustLoopback() }) { two in
                    func count(_ address: String) async throws -> Int {
                        let rows = try await one.rows(
                            one.installation.control,
                            "SELECT coalesce(sum(count), 0) FROM control.leak_reports WHERE address = '\(address)'"
                        )
                        return try #require(rows.first).decode(0, as: Int.self)
                    }
                    for node in [one, two] {
                        #expect(try await node.report(["x"], from: "192.0.2.7").status == 202)
                    }
                    #expect(try await count("192.0.2.7") == 2)
                    // One client has all addresses of a /64.
                    for address in ["2001:db8::1", "2001:db8::ffff:2"] {
                        #expect(try await one.report(["x"], from: address).status == 202)
                    }
                    #expect(try await count("2001:db8::") == 2)
                    // The next hour can begin during the test.
                    try await one.script(
                        one.installation.control,
                        """
                        INSERT INTO control.leak_reports (address, hour, count)
                        SELECT '192.0.2.7', date_trunc('hour', now(), 'UTC') + n * interval '1 hour',
                            \(LeakReports.limit)
                        FROM generate_series(0, 1) n ON CONFLICT (address, hour) DO UPDATE SET count = EXCLUDED.count
                        """
                    )
                    let key = try await one.makeKey("a")
                    for node in [one, two] {
                        let answer = try await node.report([key.token], from: "192.0.2.7")
                        #expect(answer.status == 429 && answer.code == "rate_limited")
                        let seconds = try #require(answer.headers["retry-after"].flatMap { Int($0) })
                        #expect((1...3600).contains(seconds))
                        #expect(answer.headers["ratelimit"] == "\"attempts\";r=0;t=\(seconds)")
                        #expect(answer.headers["ratelimit-policy"] == "\"attempts\";q=60;w=3600")
                    }
                    #expect(try await one.status(key.path) == "active")
                    #expect(try await one.report(["x"], from: "192.0.2.8").status == 202)
                }
            }
        }
    }

    // The attack: a report of a million lines.
    @Test func `a report that is too large is refused with a sentence, and changes nothing`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("a")
            let many = try await mortise.report([key.token] + (0..<1000).map { "token \($0)" })
            #expect(many.status == 400 && many.pointers == ["/tokens"])
            #expect(many["detail"]?.string?.contains("1000") == true)
            let rest = String(repeating: ",\"\"", count: 300_000)
            let lines = "{\"tokens\":[\"\(key.token)\"\(rest)]}"
            let dense = try await mortise.api.send("POST", "/v1/leaks", raw: lines, as: nil)
            #expect(dense.status == 400 && dense.pointers == ["/tokens"])
            #expect(try await mortise.report([String(repeating: "x", count: 1001)]).pointers == ["/tokens/0"])
            #expect(try await mortise.report([]).status == 400)
            // A million lines, of which the server wants none.
            for path in ["/v1/leaks", "/v1/leaks/github"] {
                try await RawConnection.with(mortise.address) { connection in
                    let fields = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n"
                    try await connection.send("POST \(path) HTTP/1.1\r\n\(fields)\r\n")
                    let answer = try #require(try await connection.answer())
                    #expect(answer.status == 413 && answer.body.contains("1048576"))
                }
            }
            #expect(try await mortise.status(key.path) == "active")
            #expect(try await mortise.events(key.path) == ["created"])
        }
    }

    // The attack: somebody reads the log, or what a receiver was sent.
    @Test func `no log line, event and request to a webhook has the token`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                _ = try await mortise.makeWebhook(receiver.url, ["key.leaked"])
                let key = try await mortise.makeKey("a")
                #expect(try await mortise.report([key.token, "\(key.token)x"]).status == 202)
                let request = try #require(await receiver.nextRequest())
                #expect(request.type == "key.leaked")
                #expect(request.json["data"]?["changes"]?["source"] == "report")
                #expect(request.json["data"]?["actor"] == "system")
                let secret = String(key.token.dropFirst(16))
                #expect(!request.body.contains(secret) && !mortise.log.text.contains(secret))
                let events = try await mortise.api.get("\(key.path)/events", as: mortise.adminToken)
                #expect(!events.text.contains(secret))
            }
        }
    }
}
