import FoundationEssentials
import JSON
import KeyStore
import Keys
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// A rotation that creates a new key with the same settings and name, and gives the old key an end.
@Suite(.hangLimit) struct KeyReplacementTests {
    private static var draft: KeyDraft {
        var draft = KeyDraft(name: "backend", description: "d", kind: .service, scopes: [Scope(freeForm: "a b")])
        draft.allowedNamespaces = ["eu"]
        draft.rateLimitPerMinute = 100
        draft.rateLimitPerHour = 1000
        draft.expiry = .after(.seconds(864_000))
        draft.metadata = #"{"team": "x"}"#
        return draft
    }

    @Test func `the new key has the old key's settings and name, and the old key works until its grace period ends`()
        async throws
    {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let old = try await mortise.createKey(Self.draft, in: home)
            let new = try await mortise.replace(old.key.id, in: home)
            let before = try await keys.get(old.key.id, in: home)
            #expect(new.key.id != old.key.id)
            #expect(new.key.name == "backend")
            #expect(new.key.scopes == ["a b"])
            #expect(new.key.allowedNamespaces == ["eu"])
            #expect(new.key.rateLimitPerMinute == 100 && new.key.rateLimitPerHour == 1000)
            #expect(new.key.expiresAt == old.key.expiresAt)
            #expect(new.key.metadata == old.key.metadata)
            #expect(new.key.status(at: new.key.createdAt) == .active)
            #expect(before.replacedBy == new.key.id)
            #expect(before.deprecatedAt == new.key.createdAt)
            #expect(before.gracePeriodEndsAt == new.key.createdAt + .seconds(86_400))
            #expect(try await mortise.verdict(old.token, ["namespace": "eu"]) == "valid")
            #expect(try await mortise.verdict(new.token, ["namespace": "eu"]) == "valid")
            try await mortise.inWorkspace(
                "UPDATE auth.service_keys SET grace_period_ends_at = now() WHERE replaced_by IS NOT NULL"
            )
            #expect(try await mortise.verdict(old.token, ["namespace": "eu"]) == "expired")
            #expect(try await mortise.verdict(new.token, ["namespace": "eu"]) == "valid")

            let ofOld = try await keys.events(EventFilter(keyID: old.key.id), PageRequest(), in: home).items
            #expect(ofOld.map(\.type) == ["rotated", "created"])
            #expect(ofOld.first?.changes.contains(UUIDv7.text(of: new.key.id)) == true)
            let ofNew = try await keys.events(EventFilter(keyID: new.key.id), PageRequest(), in: home).items
            #expect(ofNew.map(\.type) == ["created"])
            #expect(ofNew.first?.changes.contains(UUIDv7.text(of: old.key.id)) == true)
        }
    }

    @Test func `a key has one successor while that is of use, and the successor can be rotated`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let first = try await mortise.createKey(Self.draft, in: home)
            let second = try await mortise.replace(first.key.id, in: home)
            let end = try await keys.get(first.key.id, in: home).gracePeriodEndsAt
            #expect(try await refusal { try await mortise.replace(first.key.id, in: home) } == "conflict")
            _ = try await keys.disable(second.key.id, in: home, by: try await mortise.caller())
            #expect(try await refusal { try await mortise.replace(first.key.id, in: home) } == "conflict")
            _ = try await keys.enable(second.key.id, in: home, by: try await mortise.caller())
            let third = try await mortise.replace(second.key.id, in: home)
            #expect(try await keys.get(first.key.id, in: home).gracePeriodEndsAt == end)
            #expect(try await keys.get(first.key.id, in: home).replacedBy == second.key.id)
            #expect(second.key.uniqueName == "backend" && third.key.uniqueName == "backend")
            for token in [first.token, second.token, third.token] {
                #expect(try await mortise.verdict(token, ["namespace": "eu"]) == "valid")
            }
            #expect(try await refusal { try await mortise.createKey(Self.draft, in: home) } == "nameTaken")
            // Without a successor of use, the old key still has its own way out.
            _ = try await keys.revoke(second.key.id, reason: nil, in: home, by: try await mortise.caller())
            let again = try await mortise.replace(first.key.id, in: home)
            #expect(try await keys.get(first.key.id, in: home).replacedBy == again.key.id)
        }
    }

    // The attack: a client sends its rotation five times at once, and has five keys with five times the limit.
    @Test func `of concurrent replacements one succeeds, and the limit is counted over both keys`() async throws {
        try await withMortise { mortise in
            let home = try await mortise.serviceKeys()
            var draft = KeyDraft(name: "limited", kind: .service)
            draft.rateLimitPerHour = 3
            let old = try await mortise.createKey(draft, in: home)
            #expect(try await mortise.verdict(old.token) == "valid")
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        var token = ""
                        let refused = try await refusal {
                            token = try await mortise.replace(old.key.id, in: home).token
                        }
                        return refused == "nothing" ? token : refused
                    }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == "conflict" }.count == 4, "\(outcomes)")
            let token = try #require(outcomes.first { $0 != "conflict" })
            #expect(try await mortise.verdict(token) == "valid")
            #expect(try await mortise.verdict(old.token) == "valid")
            #expect(try await mortise.verdict(token) == "rate_limited")
            #expect(try await mortise.verdict(old.token) == "rate_limited")
        }
    }

    @Test func `a replacement can have another name, which must be unused, and other scopes`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let old = try await mortise.createKey(Self.draft, in: home)
            _ = try await mortise.createKey(KeyDraft(name: "taken", kind: .service), in: home)
            var replacement = KeyReplacement()
            replacement.name = "taken"
            let refused = try await refusal { [replacement] in
                try await mortise.replace(old.key.id, replacement, in: home)
            }
            #expect(refused == "nameTaken")
            #expect(try await keys.get(old.key.id, in: home).deprecatedAt == nil)
            replacement.name = "v2"
            replacement.scopes = [.all]
            let new = try await mortise.replace(old.key.id, replacement, in: home)
            #expect(new.key.name == "v2" && new.key.uniqueName == "v2" && new.key.scopes == ["*"])
            #expect(try await keys.get(old.key.id, in: home).uniqueName == "backend")
            replacement.name = "a\u{0}"
            let bad = try await refusal { [replacement] in try await mortise.replace(old.key.id, replacement, in: home)
            }
            #expect(bad == "/name")
        }
    }

    @Test func `a replacement never extends a life or enables a key, and a revoked key cannot be replaced`()
        async throws
    {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let caller = try await mortise.caller()
            var short = Self.draft
            short.expiry = .after(.seconds(600))
            let old = try await mortise.createKey(short, in: home)
            _ = try await keys.disable(old.key.id, in: home, by: caller)
            let new = try await mortise.replace(old.key.id, in: home)
            #expect(try await keys.get(old.key.id, in: home).gracePeriodEndsAt == old.key.expiresAt)
            #expect(new.key.expiresAt == old.key.expiresAt)
            #expect(try await mortise.verdict(new.token) == "disabled")

            var atOnce = KeyReplacement()
            atOnce.grace = GracePeriod.none
            _ = try await keys.enable(new.key.id, in: home, by: caller)
            let next = try await mortise.replace(new.key.id, atOnce, in: home)
            #expect(try await mortise.verdict(new.token, ["namespace": "eu"]) == "expired")
            #expect(try await mortise.verdict(next.token, ["namespace": "eu"]) == "valid")
            #expect(try await refusal { try await mortise.replace(new.key.id, in: home) } == "conflict")
            _ = try await keys.revoke(next.key.id, reason: "leak", in: home, by: caller)
            #expect(try await refusal { try await mortise.replace(next.key.id, in: home) } == "conflict")
        }
    }

    @Test func `a repeated replacement returns the same new key and token`() async throws {
        try await withMortise { mortise in
            let home = try await mortise.serviceKeys()
            let old = try await mortise.createKey(Self.draft, in: home)
            let one = try await mortise.replace(old.key.id, in: home, idempotency: "twice")
            let two = try await mortise.replace(old.key.id, in: home, idempotency: "twice")
            #expect(one.key.id == two.key.id)
            #expect(one.token == two.token)
            #expect(try await mortise.keyService.listing(KeyFilter(), limit: 10, in: home).total == 2)
        }
    }

    @Test func `the revocations of a deleted key can still be read`() async throws {
        try await withMortise { mortise in
            let (keys, home) = (mortise.keyService, try await mortise.serviceKeys())
            let caller = try await mortise.caller()
            let id = try await mortise.createKey(Self.draft, in: home).key.id
            #expect(try await keys.revocations(id, in: home).isEmpty)
            _ = try await keys.revoke(id, reason: "leaked", in: home, by: caller)
            _ = try await keys.revoke(id, reason: "again", in: home, by: caller)
            try await keys.delete(id, in: home, by: caller)
            let history = try await keys.revocations(id, in: home)
            #expect(history.map(\.actor) == [caller.principal.actor])
            #expect(history.first?.keyName == "backend")
            #expect(history.first?.changes.contains("leaked") == true)
            let unknown = try #require(UUIDv7.parse("0198c0de-0000-7000-8000-00000000abcd"))
            #expect(try await refusal { try await keys.revocations(unknown, in: home) } == "notFound")
        }
    }
}
