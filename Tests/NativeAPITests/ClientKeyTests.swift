import FoundationEssentials
import JSON
import KeyStore
import Keys
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Client keys over HTTP: their lifecycle and their subjects.
@Suite(.hangLimit) struct ClientKeyTests {
    private static let path = "/v1/workspaces/default/client-keys"

    @Test func `a client key has the lifecycle of a service key, and verdicts name its subject`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let key = try await mortise.makeClientKey("key", ["scopes": ["read:x"], "metadata": ["a": 1]])
            #expect(key.token.hasPrefix("mkc_live_"))
            let verdict = try await mortise.verify(key.token, ["scopes": ["read:x"]])
            #expect(verdict.code == "valid")
            #expect(verdict["key", "subject"] == "user_1")
            #expect(verdict["key", "kind"] == "client")
            #expect(verdict["key", "metadata"] == ["a": 1])
            #expect(try await mortise.verdict(key.token, ["scopes": ["write:x"]]) == "insufficient_scope")

            let rotated = try await api.post("\(key.path)/rotate", as: admin)
            #expect(rotated.status == 200)
            #expect(rotated["key", "subject"] == "user_1")
            let second = try rotated.string("token")
            #expect(second.hasPrefix("mkc_live_"))
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await api.post("\(key.path)/disable", as: admin).string("status") == "disabled")
            #expect(try await mortise.verdict(second) == "disabled")
            #expect(try await api.post("\(key.path)/enable", as: admin).string("status") == "active")
            #expect(try await api.post("\(key.path)/deprecate", as: admin).string("status") == "deprecated")
            let patch = try await api.send("PATCH", key.path, ["scopes": ["*"], "expires_at": nil], as: admin)
            #expect(patch["scopes"] == ["*"])
            #expect(try await mortise.verdict(second, ["scopes": ["write:x"]]) == "valid")
            #expect(
                try await api.post("\(key.path)/revoke", ["reason": "gone"], as: admin).string("status") == "revoked"
            )
            #expect(try await mortise.verdict(second) == "revoked")
            #expect(try await api.send("DELETE", key.path, as: admin).status == 204)
            #expect(try await mortise.verdict(second) == "not_found")

            let events = try await api.get("\(key.path)/events", as: admin)
            let types = events["data"]?.array?.compactMap { $0["type"]?.string }
            #expect(
                types == ["deleted", "revoked", "updated", "deprecated", "enabled", "disabled", "rotated", "created"]
            )
        }
    }

    // The attack: a request names a client key under the path of service keys, or a service key under the path of
    // client keys.
    @Test func `client keys and service keys are separate collections, before and after deletion`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let client = try await mortise.makeClientKey()
            let service = try await mortise.makeKey("service")
            for (id, path) in [(client.id, ServerHarness.keys()), (service.id, Self.path)] {
                #expect(try await api.get("\(path)/\(id)", as: admin).status == 404)
                #expect(try await api.get("\(path)/\(id)/events", as: admin).status == 404)
                for call in ["revoke", "rotate", "disable"] {
                    #expect(try await api.post("\(path)/\(id)/\(call)", as: admin).status == 404)
                }
                #expect(try await api.send("DELETE", "\(path)/\(id)", as: admin).status == 404)
            }
            #expect(try await mortise.verdict(client.token) == "valid")
            #expect(try await mortise.verdict(service.token) == "valid")
            for path in [client.path, service.path] {
                #expect(try await api.send("DELETE", path, as: admin).status == 204)
                #expect(try await api.get("\(path)/events", as: admin)["data"]?.array?.count == 2)
            }
            #expect(try await api.get("\(ServerHarness.keys())/\(client.id)/events", as: admin).status == 404)
            #expect(try await api.get("\(Self.path)/\(service.id)/events", as: admin).status == 404)
        }
    }

    @Test func `client keys are listed by subject, may share a name and need a subject`() async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            for subject in ["user_1", "user_2", "user_1", "USER_1"] {
                _ = try await mortise.makeClientKey(subject: subject)
            }
            let all = try await api.get(Self.path, as: admin)
            #expect(all["data"]?.array?.count == 4)
            let own = try await api.get("\(Self.path)?subject=user_1", as: admin)
            #expect(own["data"]?.array?.compactMap { $0["subject"]?.string } == ["user_1", "user_1"])
            #expect(try await api.get("\(Self.path)?subject=user_", as: admin)["data"]?.array?.isEmpty == true)
            let page = try await api.get("\(Self.path)?subject=user_1&limit=1", as: admin)
            let cursor = try page.string("next_cursor")
            let last = try await api.get("\(Self.path)?subject=user_1&limit=1&cursor=\(cursor)", as: admin)
            #expect(last["data"]?.array?.count == 1)
            #expect(last["next_cursor"] == nil || last["next_cursor"] == .null)

            let none = try await api.post(Self.path, ["name": "x"], as: admin)
            #expect(none.status == 400)
            #expect(none.pointers == ["/subject"])
            for bad in ["", "a\u{0}b", String(repeating: "x", count: 256)] {
                let answer = try await api.post(Self.path, ["name": "x", "subject": .string(bad)], as: admin)
                #expect(answer.status == 400, "\(answer)")
                #expect(answer.pointers == ["/subject"], "\(answer)")
            }
            let moved = try await api.send("PATCH", "\(Self.path)/x", ["subject": "other"], as: admin)
            #expect(moved.status == 400)
        }
    }

    @Test func `rate limits and expiry apply to client keys`() async throws {
        try await withMortise { mortise in
            let limited = try await mortise.makeClientKey("key", ["rate_limit_per_hour": 2])
            var codes: [String] = []
            for _ in 0..<3 { codes.append(try await mortise.verdict(limited.token)) }
            #expect(codes == ["valid", "valid", "rate_limited"])
            let ending = try await mortise.makeClientKey("key", ["expires_at": "2099-01-01T00:00:00Z"])
            try await mortise.inWorkspace("UPDATE auth.client_keys SET expires_at = now() WHERE expires_at IS NOT NULL")
            #expect(try await mortise.verdict(ending.token) == "expired")
        }
    }

    @Test func `a repeated creation returns the same client key and the same token`() async throws {
        try await withMortise { mortise in
            let body: JSONValue = ["name": "once", "subject": "user_1"]
            let first = try await mortise.api.post(Self.path, body, as: mortise.adminToken, key: "k1")
            let second = try await mortise.api.post(Self.path, body, as: mortise.adminToken, key: "k1")
            #expect(first.status == 201)
            #expect(try second.string("token") == first.string("token"))
            #expect(try second.string("key", "id") == first.string("key", "id"))
            #expect(second["key", "subject"] == "user_1")
            #expect(second.headers["idempotent-replayed"] == "true")
        }
    }

    // The attack: a member who may only reach the keys of one subject tries every call on another subject's key.
    @Test func `key operations that are limited to one subject do not reach another subject's keys`() async throws {
        try await withMortise { mortise in
            let keys = mortise.keyService
            let mine = try await mortise.clientKeys(of: "user_1")
            let theirs = try await mortise.clientKeys(of: "user_2")
            let caller = try await mortise.caller()
            let own = try await mortise.createKey(KeyDraft(name: "own", kind: .client), in: mine)
            #expect(own.key.subject == "user_1")
            let id = try await mortise.createKey(KeyDraft(name: "other", kind: .client), in: theirs).key.id
            #expect(try await refusal { try await keys.get(id, in: mine) } == "notFound")
            #expect(try await refusal { try await keys.disable(id, in: mine, by: caller) } == "notFound")
            #expect(try await refusal { try await keys.revoke(id, reason: nil, in: mine, by: caller) } == "notFound")
            #expect(try await refusal { try await keys.update(id, KeyPatch(), in: mine, by: caller) } == "notFound")
            #expect(try await refusal { try await mortise.replace(id, in: mine) } == "notFound")
            #expect(try await refusal { try await keys.delete(id, in: mine, by: caller) } == "notFound")
            let all = EventFilter()
            let ofOther = EventFilter(keyID: id)
            #expect(try await refusal { try await keys.events(ofOther, PageRequest(), in: mine) } == "notFound")
            #expect(try await refusal { try await keys.events(all, PageRequest(), in: mine) } == "notFound")
            #expect(try await refusal { try await keys.cursor(id, in: mine) } == "notFound")
            #expect(try await keys.listing(KeyFilter(), limit: 10, in: mine).keys.map(\.id) == [own.key.id])
            #expect(try await keys.listing(KeyFilter(subject: "user_2"), limit: 10, in: mine).total == 0)

            var draft = KeyDraft(name: "for another", kind: .client)
            draft.subject = "user_2"
            let answer = try await refusal { [draft] in try await mortise.createKey(draft, in: mine) }
            #expect(answer == "forbidden")
            var patch = KeyPatch()
            patch.subject = .set("user_2")
            let moved = try await refusal { [patch] in
                try await keys.update(own.key.id, patch, in: mine, by: caller)
            }
            #expect(moved == "forbidden")

            try await keys.delete(id, in: theirs, by: caller)
            #expect(try await refusal { try await keys.events(ofOther, PageRequest(), in: mine) } == "notFound")
            #expect(try await keys.events(ofOther, PageRequest(), in: theirs).items.count == 2)
        }
    }
}
