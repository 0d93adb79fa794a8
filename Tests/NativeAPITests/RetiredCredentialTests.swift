import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Old tokens: what a replaced secret or a deprecated key can still do.
@Suite(.hangLimit) struct RetiredCredentialTests {
    private static let admins = "/v1/organizations/default/admin-keys"
    private static let all: JSONValue = [
        "keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read",
        "webhooks:read", "webhooks:write",
    ]

    // The attack: a token leaked, its owner rotates, and the thief rotates once more with the old token: now only the thief has one.
    @Test func `a replaced token takes no key over`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let made = try await api.post(Self.admins, ["name": "k", "permissions": Self.all], as: mortise.adminToken)
            let (old, path) = (try made.string("token"), "\(Self.admins)/\(try made.string("key", "id"))")
            let new = try await api.post("\(path)/rotate", as: mortise.adminToken).string("token")
            let calls: [(String, JSONValue)] = [
                ("\(path)/rotate", ["grace_period_seconds": 0]), (Self.admins, ["name": "n"]),
                ("/v1/workspaces/default/service-keys", ["name": "n"]),
            ]
            for (call, body) in calls {
                let refused = try await api.post(call, body, as: old)
                #expect(refused.status == 403, "\(call): \(refused)")
                #expect(refused["detail"]?.string?.contains("was replaced") == true, "\(refused)")
            }
            // The old token still reads and verifies, and it can still stop what it sees being misused.
            let key = try await mortise.makeKey("stolen")
            #expect(try await api.get(path, as: old).status == 200)
            #expect(try await mortise.verdict(key.token, as: old) == "valid")
            #expect(try await api.post("\(key.path)/disable", as: old).status == 200)
            #expect(try await api.post("\(key.path)/enable", as: old).status == 403)
            #expect(try await api.post("\(key.path)/revoke", as: old).status == 200)
            #expect(try await api.send("PATCH", path, ["name": "other"], as: old).status == 403)
            #expect(try await api.send("DELETE", key.path, as: old).status == 403)
            #expect(try await api.post("\(path)/rotate", as: new).status == 200)
        }
    }

    // The same with a key that is being phased out.
    @Test func `a deprecated key makes nothing that outlasts it`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let made = try await api.post(Self.admins, ["name": "k", "permissions": Self.all], as: mortise.adminToken)
            let (token, path) = (try made.string("token"), "\(Self.admins)/\(try made.string("key", "id"))")
            #expect(try await api.post("\(path)/deprecate", as: mortise.adminToken).status == 200)
            let calls: [(String, JSONValue)] = [
                ("\(path)/rotate", [:]), (Self.admins, ["name": "n"]),
                ("/v1/organizations/default/members", ["email": "m@example.org", "role": "member"]),
                ("/v1/organizations/default/workspaces", ["name": "n"]),
            ]
            for (call, body) in calls {
                let refused = try await api.post(call, body, as: token)
                #expect(refused.status == 403, "\(call): \(refused)")
            }
            #expect(try await api.post("\(path)/revoke", as: token).status == 200)
        }
    }

    // The attack: an old request is sent again with its Idempotency-Key, after the key that sent it was replaced, or the key that it made
    // was given more.
    @Test func `a repeated request gives a token only to whoever could still make the key`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let body: JSONValue = [
                "name": "k", "permissions": ["keys:read", "keys:write"], "expires_at": "2090-01-01T00:00:00Z",
            ]
            let maker = try await api.post(Self.admins, body, as: mortise.adminToken)
            let (token, path) = (try maker.string("token"), "\(Self.admins)/\(try maker.string("key", "id"))")
            let made = try await api.post(Self.admins, ["name": "child"], as: token, key: "once")
            #expect(made.status == 201)
            #expect(try made.string("key", "expires_at").hasPrefix("2090-01-01T00:00:00"), "\(made)")
            #expect(try await api.post(Self.admins, ["name": "child"], as: token, key: "once").status == 201)
            let child = "\(Self.admins)/\(try made.string("key", "id"))"
            let widened = try await api.send("PATCH", child, ["expires_at": nil], as: mortise.adminToken)
            #expect(widened.status == 200)
            #expect(try await api.post(Self.admins, ["name": "child"], as: token, key: "once").status == 403)
            let ended = try await api.send(
                "PATCH",
                child,
                ["expires_at": "2090-01-01T00:00:00Z"],
                as: mortise.adminToken
            )
            #expect(ended.status == 200)
            #expect(try await api.post("\(path)/rotate", as: mortise.adminToken).status == 200)
            #expect(try await api.post(Self.admins, ["name": "child"], as: token, key: "once").status == 403)
        }
    }
}
