import FoundationEssentials
import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing
import Verification

/// The quarantine of leaked keys.
@Suite(.hangLimit) struct LeakQuarantineTests {
    private static func withQuarantine(_ body: @Sendable (ServerHarness) async throws -> Void) async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            try await mortise.choose("quarantine")
            try await body(mortise)
        }
    }

    private static func verdicts(
        _ mortise: ServerHarness,
        _ token: String,
        _ addresses: [String]
    ) async throws -> [String] {
        var verdicts: [String] = []
        for address in addresses {
            verdicts.append(try await mortise.verdict(token, ["address": .string(address)]))
        }
        return verdicts
    }

    // The attack: whoever found the token uses it from elsewhere.
    @Test func `a key in quarantine goes on from the addresses that used it in the last 30 days, and from no other`()
        async throws
    {
        try await Self.withQuarantine { mortise in
            let key = try await mortise.makeKey("a")
            let client = try await mortise.makeClientKey("a")
            let known = ["192.0.2.7", "2001:db8::7"]
            for token in [key.token, client.token] {
                #expect(try await Self.verdicts(mortise, token, known) == ["valid", "valid"])
            }
            await mortise.flushUsage()
            let today = "(now() AT TIME ZONE 'UTC')::date"
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_addresses VALUES
                    ('\(key.id)', '203.0.113.1', \(today) - 40), ('\(key.id)', '203.0.113.2', \(today) - 20)
                """
            )
            _ = try await mortise.report([key.token, client.token])
            for token in [key.token, client.token] {
                #expect(try await Self.verdicts(mortise, token, known) == ["valid", "valid"])
                let others = ["198.51.100.9", "203.0.113.1", "2001:db8::8"]
                #expect(try await Self.verdicts(mortise, token, others) == Array(repeating: "wrong_address", count: 3))
                #expect(try await mortise.verdict(token) == "wrong_address")
            }
            #expect(try await mortise.verdict(key.token, ["address": "203.0.113.2"]) == "valid")
            #expect(Set(try await mortise.events(key.path)) == ["created", "leaked", "updated"])
            #expect(try await mortise.leaks(key.path).first?["action"] == "quarantine")
            // Events go to webhooks, which are not told of clients' addresses.
            let events = try await mortise.api.get("\(key.path)/events?type=updated", as: mortise.adminToken)
            #expect(!events.text.contains("192.0.2.7"))
            #expect(events["data"]?.array?.first?["changes"]?["allowed_ips"]?["from"] == [])
        }
    }

    // The accident: the client of a minute ago stops, because its use was not written yet.
    @Test func `a use that is not written yet counts for the quarantine`() async throws {
        try await Self.withQuarantine { mortise in
            let key = try await mortise.makeKey("a")
            #expect(try await mortise.verdict(key.token, ["address": "192.0.2.7"]) == "valid")
            _ = try await mortise.report([key.token])
            let addresses = ["192.0.2.7", "192.0.2.8"]
            #expect(try await Self.verdicts(mortise, key.token, addresses) == ["valid", "wrong_address"])
            let events = try await mortise.api.get("\(key.path)/events?type=updated", as: mortise.adminToken)
            let changes = events["data"]?.array?.first?["changes"]
            #expect(changes?["allowed_ips"]?["to"] == "1 address that used the key", "\(events)")
        }
    }

    // The accident: three machines use a key, and two of them stop, because the uses of the last second were not written yet.
    @Test func `all uses that are not written yet count for the quarantine, with each token of the key`() async throws {
        try await Self.withQuarantine { mortise in
            let key = try await mortise.makeKey("a")
            let addresses = ["192.0.2.7", "192.0.2.8", "2001:db8::7"]
            #expect(try await Self.verdicts(mortise, key.token, addresses) == ["valid", "valid", "valid"])
            let rotated = try await mortise.api.post("\(key.path)/rotate", [:], as: mortise.adminToken)
            let token = try rotated.string("token")
            #expect(try await mortise.verdict(token, ["address": "192.0.2.9"]) == "valid")
            _ = try await mortise.report([token])
            let all = addresses + ["192.0.2.9", "192.0.2.10"]
            let expected = Array(repeating: "valid", count: 4) + ["wrong_address"]
            #expect(try await Self.verdicts(mortise, key.token, all) == expected)
            #expect(try await Self.verdicts(mortise, token, all) == expected)
        }
    }

    // The accident: an empty list of addresses allows all of them.
    @Test func `a key whose addresses are unknown is disabled in a quarantine`() async throws {
        try await Self.withQuarantine { mortise in
            let key = try await mortise.makeKey("a")
            #expect(try await mortise.verdict(key.token) == "valid")
            await mortise.flushUsage()
            _ = try await mortise.report([key.token])
            #expect(try await mortise.verdict(key.token, ["address": "192.0.2.7"]) == "disabled")
            #expect(Set(try await mortise.events(key.path)) == ["created", "disabled", "leaked"])
            // The owner decides, and a second report does not change that.
            #expect(try await mortise.api.post("\(key.path)/enable", as: mortise.adminToken).status == 200)
            _ = try await mortise.report([key.token])
            #expect(try await mortise.verdict(key.token) == "valid")
        }
    }

    // The attack: a leak loosens what an administrator has tightened since the last use.
    @Test func `a quarantine allows no address that the key does not allow`() async throws {
        try await Self.withQuarantine { mortise in
            let key = try await mortise.makeKey("a", ["allowed_ips": ["192.0.2.0/24"]])
            let addresses = ["192.0.2.7", "192.0.2.8"]
            #expect(try await Self.verdicts(mortise, key.token, addresses) == ["valid", "valid"])
            await mortise.flushUsage()
            let tight: JSONValue = ["allowed_ips": ["192.0.2.8/29"]]
            #expect(try await mortise.api.send("PATCH", key.path, tight, as: mortise.adminToken).status == 200)
            _ = try await mortise.report([key.token])
            let shown = try await mortise.api.get(key.path, as: mortise.adminToken)
            #expect(shown["allowed_ips"] == ["192.0.2.8"])
            #expect(try await Self.verdicts(mortise, key.token, addresses) == ["wrong_address", "valid"])
        }
    }

    /// Creates a client key of a new member.
    ///
    /// - Returns: The key, and the member's session.
    private static func makeOwnKey(
        _ mortise: ServerHarness,
        _ settings: JSONObject = [:]
    ) async throws -> (path: String, token: String, session: String) {
        let member = try await mortise.addMember("m@example.org", "member")
        let session = try await mortise.signIn("m@example.org").access
        let path = "/v1/workspaces/default/client-keys"
        var body = settings
        body["name"] = "own"
        body["subject"] = .string(member.userID)
        let made = try await mortise.api.post(path, .object(body), as: session)
        return ("\(path)/\(try made.string("key", "id"))", try made.string("token"), session)
    }

    // The attack: the key is confined already to the address that uses it, so the quarantine changes nothing. Its owner, or whoever has
    // taken over the owner's session, removes the addresses, and the leaked token works everywhere.
    @Test func `a quarantine keeps the addresses that a key's subject had set itself`() async throws {
        try await Self.withQuarantine { mortise in
            let key = try await Self.makeOwnKey(mortise, ["allowed_ips": ["192.0.2.7"]])
            #expect(try await mortise.verdict(key.token, ["address": "192.0.2.7"]) == "valid")
            await mortise.flushUsage()
            _ = try await mortise.report([key.token])
            let wishes: [JSONValue] = [
                ["allowed_ips": nil], ["allowed_ips": []], ["allowed_ips": ["192.0.2.7", "192.0.2.8"]],
            ]
            for wish in wishes {
                #expect(try await mortise.api.send("PATCH", key.path, wish, as: key.session).status == 403, "\(wish)")
            }
            let addresses = ["192.0.2.7", "192.0.2.8"]
            #expect(try await Self.verdicts(mortise, key.token, addresses) == ["valid", "wrong_address"])
            #expect(try await mortise.api.send("PATCH", key.path, wishes[0], as: mortise.adminToken).status == 200)
        }
    }

    // The attack: the owner of the key, or whoever has taken over the owner's session, had disabled it before the leak, and enables it.
    @Test func `a key that its subject had disabled stays so after a quarantine`() async throws {
        try await Self.withQuarantine { mortise in
            let key = try await Self.makeOwnKey(mortise)
            #expect(try await mortise.api.post("\(key.path)/disable", as: key.session).status == 200)
            _ = try await mortise.report([key.token])
            #expect(try await mortise.api.post("\(key.path)/enable", as: key.session).status == 403)
            #expect(try await mortise.verdict(key.token) == "disabled")
            #expect(try await mortise.api.post("\(key.path)/enable", as: mortise.adminToken).status == 200)
        }
    }

    // The attack: a new token leaks after the owner has lifted the quarantine of the old one.
    @Test func `each token of a key has a quarantine of its own`() async throws {
        try await Self.withQuarantine { mortise in
            let key = try await mortise.makeKey("a")
            #expect(try await mortise.verdict(key.token, ["address": "192.0.2.7"]) == "valid")
            await mortise.flushUsage()
            _ = try await mortise.report([key.token])
            let rotated = try await mortise.api.post("\(key.path)/rotate", [:], as: mortise.adminToken)
            let token = try rotated.string("token")
            let open: JSONValue = ["allowed_ips": []]
            #expect(try await mortise.api.send("PATCH", key.path, open, as: mortise.adminToken).status == 200)
            _ = try await mortise.report([token])
            #expect(try await Self.verdicts(mortise, token, ["192.0.2.7", "192.0.2.8"]) == ["valid", "wrong_address"])
        }
    }
}
