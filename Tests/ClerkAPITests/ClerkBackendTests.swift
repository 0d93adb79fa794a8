import JSON
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing
import Verification

/// The Backend API: each kind of refusal, and the invariants of keys.
@Suite(.hangLimit) struct ClerkBackendTests {
    // The attack: a client treats any 2xx answer to a verification as a valid key, and the key is not valid any more.
    @Test func `the verification of an invalid secret answers 404`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Foreign")
            let good = try await mortise.makeAPIKey("Good one")
            let revoked = try await mortise.makeAPIKey("Revoked")
            let expired = try await mortise.makeAPIKey("Expired", ["seconds_until_expiration": 3600])
            let deleted = try await mortise.makeAPIKey("Deleted")
            let disabled = try await mortise.makeAPIKey("Disabled")
            let theirs = try await mortise.makeAPIKey("Theirs", as: acme.token)
            let service = try await mortise.makeKey("service key")
            _ = try await mortise.clerk("POST", "/v1/api_keys/\(revoked.id)/revoke", [:])
            _ = try await mortise.clerk("DELETE", "/v1/api_keys/\(deleted.id)")
            try await mortise.inWorkspace(
                """
                UPDATE auth.client_keys SET expires_at = now() WHERE name = 'Expired';
                UPDATE auth.client_keys SET disabled_at = now() WHERE name = 'Disabled';
                """
            )
            #expect(try await mortise.clerkVerify(good.secret) == 200)
            var altered = good.secret
            altered.append(altered.removeLast() == "0" ? "1" : "0")
            let bad = [
                revoked.secret, expired.secret, deleted.secret, disabled.secret, theirs.secret, altered, "", "ak_",
                good.id,
                service.token, mortise.adminToken, mortise.operatorToken, good.secret + "\n",
            ]
            var reference: JSONValue?
            for secret in bad {
                let answer = try await mortise.clerk("POST", "/v1/api_keys/verify", ["secret": .string(secret)])
                #expect(answer.status == 404, "\(answer)")
                #expect(answer["errors"] == reference ?? answer["errors"], "no two of them differ")
                reference = answer["errors"]
            }
            #expect(try await mortise.clerkVerify(theirs.secret, as: acme.token) == 200)
            let shown = try await mortise.clerk("GET", "/v1/api_keys/\(expired.id)")
            #expect(shown["expired"] == true && shown["revoked"] == false)
        }
    }

    @Test func `a subject with as many keys as its quota allows gets Clerk's code for it`() async throws {
        try await withMortise(configure: { $0.quotas.keysPerSubject = 1 }) { mortise in
            _ = try await mortise.makeAPIKey("First")
            let body: JSONValue = ["name": "Second", "subject": .string(ServerHarness.user)]
            let answer = try await mortise.clerk("POST", "/v1/api_keys", body)
            #expect(answer.status == 403 && answer.clerkCode == "token_quota_exceeded", "\(answer)")
        }
    }

    @Test func `a name is unique per subject until its key is deleted, even after revocation`() async throws {
        try await withMortise { mortise in
            let first = try await mortise.makeAPIKey("Same name")
            let body: JSONValue = ["name": "Same name", "subject": .string(ServerHarness.user)]
            _ = try await mortise.makeAPIKey("Same name", subject: ServerHarness.otherUser)
            for _ in 0..<2 {
                let answer = try await mortise.clerk("POST", "/v1/api_keys", body)
                #expect(answer.status == 409 && answer.clerkCode == "token_creation_conflict", "\(answer)")
                _ = try await mortise.clerk("POST", "/v1/api_keys/\(first.id)/revoke", [:])
            }
            // A key cannot move to a subject that has a key of the same name.
            let other = try await mortise.makeAPIKey("Same name", subject: ServerHarness.organization)
            let moved = try await mortise.clerk(
                "PATCH",
                "/v1/api_keys/\(other.id)",
                ["subject": .string(ServerHarness.user)]
            )
            #expect(moved.status == 409 && moved.clerkCode == "token_creation_conflict", "\(moved)")
            _ = try await mortise.clerk("DELETE", "/v1/api_keys/\(first.id)")
            let free = try await mortise.clerk(
                "PATCH",
                "/v1/api_keys/\(other.id)",
                ["subject": .string(ServerHarness.user)]
            )
            #expect(free["subject"]?.string == ServerHarness.user, "\(free)")
            #expect(try await mortise.clerk("POST", "/v1/api_keys", body).status == 409)
        }
    }

    @Test func `a refused body names all its faults and creates nothing`() async throws {
        try await withMortise { mortise in
            let user = JSONValue.string(ServerHarness.user)
            let faulty: [(JSONValue, [String])] = [
                (["name": "ab", "subject": user], ["name"]), (["name": " abc", "subject": user], ["name"]),
                (["name": "abc\u{2028}d", "subject": user], ["name"]),
                (["name": "a\u{0}bc", "subject": user], ["name"]),
                (["name": .string(String(repeating: "x", count: 256)), "subject": user], ["name"]),
                (["name": "abc"], ["subject"]), (["subject": user], ["name"]), ([:], ["name", "subject"]),
                (["name": "abc", "subject": ""], ["subject"]), (["name": "abc", "subject": "user_short"], ["subject"]),
                (["name": "abc", "subject": .string("user_" + String(repeating: "é", count: 27))], ["subject"]),
                (["name": "abc", "subject": user, "type": "ab"], ["type"]),
                (["name": "abc", "subject": user, "scopes": "read"], ["scopes"]),
                (["name": "abc", "subject": user, "scopes": [1]], ["scopes.0"]),
                (["name": "abc", "subject": user, "created_by": "org_1"], ["created_by"]),
                (["name": "abc", "subject": user, "claims": ["a": "\u{0}"]], ["claims.a"]),
                (["name": "abc", "subject": user, "description": 1, "unheard_of": 1], ["description", "unheard_of"]),
                (["name": "abc", "subject": user, "secret": "ak_mine"], ["secret"]),
            ]
            for (body, parameters) in faulty {
                let answer = try await mortise.clerk("POST", "/v1/api_keys", body)
                #expect(answer.status == 400 && answer.clerkCode == "bad_request", "\(body.text): \(answer)")
                #expect(Set(answer.clerkParameters) == Set(parameters), "\(body.text): \(answer)")
            }
            for raw in ["{", "[]", "null", "\"x\"", "{\"name\":\"a\",\"name\":\"b\"}", "\u{FEFF}{}", "nonsense"] {
                let answer = try await mortise.clerk("POST", "/v1/api_keys", raw: raw)
                #expect(answer.status == 400 && answer.clerkCode == "request_body_invalid", "\(raw): \(answer)")
            }
            let form = try await mortise.clerk(
                "POST",
                "/v1/api_keys",
                raw: "name=abc",
                headers: [("Content-Type", "application/x-www-form-urlencoded")]
            )
            #expect(form.status == 415)
            let large: JSONValue = [
                "name": "abc", "subject": user, "claims": .string(String(repeating: "x", count: 70_000)),
            ]
            #expect(try await mortise.clerk("POST", "/v1/api_keys", large).status == 413)
            let list = try await mortise.clerk("GET", "/v1/api_keys?subject=\(ServerHarness.user)&include_invalid=true")
            #expect(list["total_count"] == 0)
        }
    }

    @Test func `queries outside their limits are refused`() async throws {
        try await withMortise { mortise in
            let user = ServerHarness.user
            for query in [
                "", "subject=", "subject=me", "subject=\(user)&subject=\(user)", "subject=\(user)&type=x",
                "subject=\(user)&query=%00",
                "subject=\(user)&query=%ff", "subject=\(user)&include_invalid=maybe", "subject=\(user)%00",
            ] {
                let answer = try await mortise.clerk("GET", "/v1/api_keys?\(query)")
                #expect(answer.status == 400 && answer.clerkCode == "bad_request", "\(query): \(answer)")
            }
        }
    }

    @Test func `a missing credential, a bad one and a weak one have different errors`() async throws {
        try await withMortise { mortise in
            let path = "/clerk/v1/api_keys?subject=\(ServerHarness.user)"
            let none = try await mortise.api.send("GET", path, as: nil)
            #expect(none.status == 401 && none.clerkCode == "authorization_header_format_invalid", "\(none)")
            let basic = try await mortise.api.send("GET", path, as: nil, headers: [("Authorization", "Basic eDp5")])
            #expect(basic.status == 401 && basic.clerkCode == "authorization_header_format_invalid", "\(basic)")
            let unknown = try await mortise.api.send("GET", path, as: "sk_live_unknown")
            #expect(unknown.status == 401 && unknown.clerkCode == "clerk_key_invalid", "\(unknown)")
            let service = try await mortise.makeKey()
            let key = try await mortise.makeAPIKey()
            for token in [service.token, key.secret] {
                let answer = try await mortise.api.send("GET", path, as: token)
                #expect(answer.status == 401 && answer.clerkCode == "clerk_key_invalid", "\(answer)")
            }
            let platform = try await mortise.api.send("GET", path, as: mortise.operatorToken)
            #expect(platform.status == 403 && platform.clerkCode == "authorization_invalid", "\(platform)")
            let reader = try await mortise.makeAdmin(["keys:read"])
            #expect(try await mortise.clerk("GET", "/v1/api_keys/\(key.id)", as: reader.token).status == 200)
            #expect(try await mortise.clerk("DELETE", "/v1/api_keys/\(key.id)", as: reader.token).status == 403)
            #expect(try await mortise.clerkVerify(key.secret, as: reader.token) == 403)
            for answer in [none, basic, unknown, platform] { ServerHarness.check(answer) }
        }
    }

    @Test func `a revoked key does not change`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey("Ended", ["claims": ["a": 1]])
            let path = "/v1/api_keys/\(key.id)"
            let first = try await mortise.clerk("POST", "\(path)/revoke", ["revocation_reason": "leaked"])
            #expect(first["revoked"] == true && first["revocation_reason"] == "leaked")
            let second = try await mortise.clerk("POST", "\(path)/revoke", ["revocation_reason": .null])
            #expect(second.json == first.json)
            let changed = try await mortise.clerk("PATCH", path, ["scopes": ["all"]])
            #expect(changed.status == 400 && changed.clerkCode == "bad_request", "\(changed)")
            let list = "/v1/api_keys?subject=\(ServerHarness.user)"
            #expect(try await mortise.clerk("GET", list)["total_count"] == 0)
            #expect(try await mortise.clerk("GET", "\(list)&include_invalid=true")["total_count"] == 1)
        }
    }

    @Test func `a secret appears only in the answer that created it`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey()
            let asked = try await mortise.clerk("GET", "/v1/api_keys/\(key.id)/secret")
            #expect(asked.status == 404 && asked.clerkCode == "api_key_secret_not_retrievable", "\(asked)")
            let unknown = try await mortise.clerk("GET", "/v1/api_keys/ak_\(String(repeating: "0", count: 32))/secret")
            #expect(unknown.status == 404 && unknown.clerkCode == "resource_not_found", "\(unknown)")
            let verified = try await mortise.clerk("POST", "/v1/api_keys/verify", ["secret": .string(key.secret)])
            #expect(!verified.text.contains(key.secret))
            #expect(!mortise.log.text.contains(key.secret))
        }
    }

    @Test func `a use is recorded, and a key over its limit gets 429`() async throws {
        try await withMortise(configure: { $0.usage.interval = .milliseconds(20) }) { mortise in
            let key = try await mortise.makeAPIKey()
            try await mortise.inWorkspace("UPDATE auth.client_keys SET rate_limit_per_hour = 1")
            #expect(try await mortise.clerkVerify(key.secret) == 200)
            let limited = try await mortise.clerk("POST", "/v1/api_keys/verify", ["secret": .string(key.secret)])
            #expect(limited.status == 429 && limited.clerkCode == "too_many_requests", "\(limited)")
            #expect(limited.headers["retry-after"].flatMap(Int.init) ?? 0 > 0)
            try await eventually("the use is written") {
                try await mortise.clerk("GET", "/v1/api_keys/\(key.id)")["last_used_at"]?.number != nil
            }
        }
    }

    @Test func `the answer to a verification shows the use that it counted`() async throws {
        // Nothing is written meanwhile, so the database knows of no use.
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeAPIKey()
            #expect(try await mortise.clerk("GET", "/v1/api_keys/\(key.id)")["last_used_at"] == .null)
            let verified = try await mortise.clerk("POST", "/v1/api_keys/verify", ["secret": .string(key.secret)])
            #expect(verified["last_used_at"]?.number != nil, "\(verified)")
            let shown = try await mortise.clerk("GET", "/v1/api_keys/\(key.id)")
            #expect(shown["last_used_at"] == verified["last_used_at"], "\(shown)")
        }
    }

    @Test func `a suspended workspace's keys answer 404 until it is resumed`() async throws {
        try await withMortise { mortise in
            let made = try await mortise.api.post(
                "/v1/organizations/default/workspaces",
                ["name": "Second", "slug": "second"],
                as: mortise.adminToken
            )
            #expect(made.status == 201, "\(made)")
            let path = "/workspaces/second/api_keys"
            let key = try await mortise.clerk(
                "POST",
                path,
                ["name": "Its key", "subject": .string(ServerHarness.user)]
            )
            let secret: JSONValue = ["secret": .string(try key.string("secret"))]
            #expect(try await mortise.clerk("POST", "\(path)/verify", secret).status == 200)
            // A key of one workspace is unknown in another.
            #expect(try await mortise.clerk("POST", "/api_keys/verify", secret).status == 404)
            #expect(try await mortise.api.post("/v1/workspaces/second/suspend", as: mortise.adminToken).status == 200)
            #expect(try await mortise.clerk("POST", "\(path)/verify", secret).status == 404)
            #expect(try await mortise.api.post("/v1/workspaces/second/resume", as: mortise.adminToken).status == 200)
            #expect(try await mortise.clerk("POST", "\(path)/verify", secret).status == 200)
        }
    }

    // The attack: a caller who may verify in one workspace uses up the limits of another workspace's keys.
    @Test func `a verification in another workspace does not count as a use of the key`() async throws {
        try await withMortise { mortise in
            let second = try await mortise.makeWorkspace("Second")
            let path = "/workspaces/\(second)/api_keys"
            let body: JSONValue = ["name": "Its key", "subject": .string(ServerHarness.user)]
            let secret = try await mortise.clerk("POST", path, body).string("secret")
            try await mortise.inWorkspace("UPDATE auth.client_keys SET rate_limit_per_hour = 1", slug: "second")
            #expect(try await mortise.clerkVerify(secret) == 404)
            let verified = try await mortise.clerk("POST", "\(path)/verify", ["secret": .string(secret)])
            #expect(verified.status == 200, "\(verified)")
        }
    }

    // The attack: the same with a service key of this workspace, which is not a Clerk key.
    @Test func `a verification of a service key does not count as a use of it`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey("service", ["rate_limit_per_hour": 1])
            for _ in 0..<3 { #expect(try await mortise.clerkVerify(key.token) == 404) }
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await mortise.verdict(key.token) == "rate_limited")
        }
    }
}
