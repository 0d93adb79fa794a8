import FoundationEssentials
import JSON
import KeyStore
import Keys
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Unique names, and other values that a dialect can choose for a new key.
@Suite(.hangLimit) struct ClientKeyNameTests {
    private func draft(_ name: String, _ subject: String) -> KeyDraft {
        var draft = KeyDraft(name: name, kind: .client)
        draft.subject = subject
        draft.uniqueness = .unique
        return draft
    }

    @Test func `a unique name is reserved until its key is deleted, and follows a change of name or subject`()
        async throws
    {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.clientKeys())
            let caller = try await mortise.caller()
            let first = try await mortise.createKey(self.draft("ci", "user_1"), in: home).key
            #expect(
                try await refusal { try await mortise.createKey(self.draft("ci", "user_1"), in: home) } == "nameTaken"
            )
            let other = try await mortise.createKey(self.draft("ci", "user_2"), in: home).key
            // A name without the rule may occur several times.
            var free = self.draft("ci", "user_1")
            free.uniqueness = nil
            _ = try await mortise.createKey(free, in: home)

            _ = try await keys.revoke(first.id, reason: nil, in: home, by: caller)
            #expect(
                try await refusal { try await mortise.createKey(self.draft("ci", "user_1"), in: home) } == "nameTaken"
            )

            var move = KeyPatch()
            move.subject = .set("user_1")
            let taken = try await refusal { [move] in try await keys.update(other.id, move, in: home, by: caller) }
            #expect(taken == "nameTaken")
            #expect(try await keys.get(other.id, in: home).subject == "user_2")
            move.subject = .set("user_3")
            #expect(try await keys.update(other.id, move, in: home, by: caller).subject == "user_3")
            #expect(
                try await refusal { try await mortise.createKey(self.draft("ci", "user_3"), in: home) } == "nameTaken"
            )
            let again = try await mortise.createKey(self.draft("ci", "user_2"), in: home).key

            var rename = KeyPatch()
            rename.name = .set("cd")
            _ = try await keys.update(again.id, rename, in: home, by: caller)
            #expect(
                try await refusal { try await mortise.createKey(self.draft("cd", "user_2"), in: home) } == "nameTaken"
            )
            _ = try await mortise.createKey(self.draft("ci", "user_2"), in: home)

            try await keys.delete(first.id, in: home, by: caller)
            _ = try await mortise.createKey(self.draft("ci", "user_1"), in: home)
        }
    }

    @Test func `service keys have unique names until revocation, unless a dialect disables the rule`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let caller = try await mortise.caller()
            var free = KeyDraft(name: "api", kind: .service)
            free.uniqueness = NameUniqueness.none
            let one = try await mortise.createKey(free, in: home).key
            _ = try await mortise.createKey(free, in: home)
            let only = try await mortise.createKey(KeyDraft(name: "api", kind: .service), in: home).key
            let draft = KeyDraft(name: "api", kind: .service)
            #expect(try await refusal { try await mortise.createKey(draft, in: home) } == "nameTaken")
            // A change of a key without the rule does not apply the rule to it.
            var patch = KeyPatch()
            patch.description = .set("d")
            _ = try await keys.update(one.id, patch, in: home, by: caller)
            _ = try await keys.revoke(only.id, reason: nil, in: home, by: caller)
            _ = try await mortise.createKey(draft, in: home)
            let native = try await mortise.api.post(ServerHarness.keys(), ["name": "api"], as: mortise.adminToken)
            #expect(native.status == 409)
            #expect(native.code == "conflict")
        }
    }

    @Test func `a dialect can choose prefix, type, claims, creator and lifetime of a key`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.clientKeys())
            let caller = try await mortise.caller()
            var draft = self.draft("full", "user_1")
            draft.type = "api_key"
            draft.claims = ["Role": "x", "n": [1, nil]]
            draft.tokenPrefix = .apiKey
            draft.createdBy = "user_9"
            draft.expiry = .after(.seconds(90))
            draft.scopes = [Scope(freeForm: "any thing")]
            let made = try await mortise.createKey(draft, in: home)
            #expect(made.token.hasPrefix("ak_live_"))
            #expect(made.key.prefix.hasPrefix("ak_live_"))
            #expect(made.key.type == "api_key")
            let claims = try #require(made.key.claims)
            #expect(try JSONValue(parsing: claims.utf8)["n"] == [1, nil])
            #expect(made.key.createdBy == "user_9")
            #expect(made.key.expiresAt == made.key.createdAt + .seconds(90))
            #expect(try await mortise.verify(made.token)["key", "subject"] == "user_1")
            let events = try await keys.events(EventFilter(keyID: made.key.id), PageRequest(), in: home).items
            #expect(events.map(\.actor) == [caller.principal.actor])

            var patch = KeyPatch()
            patch.claims = .set(nil)
            patch.expiry = .set(.after(.seconds(3600)))
            patch.isEnabled = .set(false)
            let changed = try await keys.update(made.key.id, patch, in: home, by: caller)
            #expect(changed.claims == nil)
            #expect(changed.expiresAt == changed.updatedAt + .seconds(3600))
            #expect(changed.disabledAt != nil)
            #expect(try await mortise.verdict(made.token) == "disabled")
            let types = try await keys.events(EventFilter(keyID: made.key.id), PageRequest(), in: home).items
                .map(\.type)
            #expect(Set(types) == ["created", "updated", "disabled"])

            let path = "/v1/workspaces/default/client-keys/\(UUIDv7.text(of: made.key.id))"
            let rotated = try await mortise.api.post("\(path)/rotate", as: mortise.adminToken)
            #expect(try rotated.string("token").hasPrefix("ak_live_"))
            draft.name = "endless"
            draft.expiry = .after(.seconds(Int64.max))
            #expect(try await mortise.createKey(draft, in: home).key.expiresAt == .latest)
        }
    }

    @Test func `invalid values are refused before they reach the database, with all faults at once`() async throws {
        try await withMortise { mortise in
            let home = try await mortise.clientKeys()
            let service = try await mortise.serviceKeys()
            let long = String(repeating: "é", count: 256)
            let cases: [(String, (inout KeyDraft) -> Void)] = [
                ("/name", { $0.name = "" }), ("/name", { $0.name = long }), ("/name", { $0.name = "a\u{0}" }),
                ("/subject", { $0.subject = nil }), ("/subject", { $0.subject = "" }),
                ("/subject", { $0.subject = long }),
                ("/description", { $0.description = "\u{0}" }), ("/type", { $0.type = "" }),
                ("/type", { $0.type = String(repeating: "t", count: 65) }), ("/type", { $0.kind = .service }),
                ("/created_by", { $0.createdBy = "\u{0}" }),
                ("/scopes/1", { $0.scopes = [.all, Scope(freeForm: "\u{0}")] }),
                ("/scopes", { $0.scopes = (0..<1001).map { Scope(freeForm: "s\($0)") } }),
                ("/allowed_namespaces/0", { $0.allowedNamespaces = [""] }),
                ("/rate_limit_per_minute", { $0.rateLimitPerMinute = 0 }),
                ("/rate_limit_per_hour", { $0.rateLimitPerHour = Int(Int32.max) + 1 }),
                ("/expires_at", { $0.expiry = .after(.zero) }),
                ("/expires_at", { $0.expiry = .after(.nanoseconds(1)) }),
                ("/expires_at", { $0.expiry = .at(.earliest) }),
                ("/claims", { $0.claims = ["a": "\u{0}"] }), ("/claims", { $0.claims = ["\u{0}": 1] }),
                ("/claims", { $0.claims = .string(String(repeating: "x", count: 16_384)) }),
                ("/name /subject", { ($0.name, $0.subject) = ("", "") }),
            ]
            for (expected, spoil) in cases {
                var draft = self.draft("fine", "user_1")
                spoil(&draft)
                let answer = try await refusal { [draft] in try await mortise.createKey(draft, in: home) }
                #expect(answer == expected)
            }
            #expect(try await mortise.keyService.listing(KeyFilter(), limit: 1, in: home).total == 0)
            var stray = KeyDraft(name: "stray", kind: .service)
            stray.subject = "user_1"
            let strayAnswer = try await refusal { [stray] in try await mortise.createKey(stray, in: service) }
            #expect(strayAnswer == "/subject")
        }
    }
}
