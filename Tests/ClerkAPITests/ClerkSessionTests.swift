import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The Frontend API: permissions and limits of a browser's session.
@Suite(.hangLimit) struct ClerkSessionTests {
    private let signer: SessionSigner

    init() throws { signer = try SessionSigner() }

    /// Runs a server in which the signer is a session issuer of the organization `default`.
    private func withSessions(_ body: @Sendable (ServerHarness) async throws -> Void) async throws {
        try await withMortise { mortise in
            try await mortise.addSessionIssuer(signer)
            try await body(mortise)
        }
    }

    @Test func `a user can list, create and revoke keys like the browser's client`() async throws {
        try await withSessions { mortise in
            let session = try signer.session()
            let clutter = "__clerk_api_version=2026-05-12&_clerk_js_version=6.29.3&_clerk_session_id=sess_1"
            let body: JSONValue = [
                "type": "api_key", "name": "From the browser", "subject": .string(ServerHarness.user),
                "description": .null,
                "seconds_until_expiration": 86_400,
            ]
            let made = try await mortise.clerk("POST", "//api_keys?\(clutter)", body, as: session)
            #expect(made.status == 201, "\(made)")
            #expect(made.memberNames == ServerHarness.apiKeyMembers.union(["secret"]))
            #expect(made["created_by"]?.string == ServerHarness.user)
            let secret = try made.string("secret")
            #expect(try await mortise.clerkVerify(secret) == 200)
            let list = try await mortise.clerk(
                "GET",
                "//api_keys?subject=\(ServerHarness.user)&query=&limit=10&offset=0&\(clutter)",
                as: session,
                headers: [("Content-Type", "application/json")]
            )
            #expect(list.listedNames == ["From the browser"] && list["total_count"] == 1, "\(list)")
            let path = "/api_keys/\(try made.string("id"))"
            let revoked = try await mortise.clerk("POST", "\(path)/revoke?\(clutter)", [:], as: session)
            #expect(revoked["revoked"] == true && revoked["revocation_reason"] == .null, "\(revoked)")
            #expect(try await mortise.clerkVerify(secret) == 404)
            let after = try await mortise.clerk("GET", "/v1/api_keys?query=&\(clutter)", as: session)
            #expect(after["total_count"] == 0)
        }
    }

    // A component without a subject sends an empty one. The documentation promises the active organization, then the
    // user.
    @Test func `an empty subject means the active organization, or the user without one`() async throws {
        try await withSessions { mortise in
            let alone = try signer.session()
            let active = try signer.session(organization: ServerHarness.organization)
            let mine: JSONValue = ["name": "Mine", "subject": ""]
            let ours: JSONValue = ["name": "Ours"]
            #expect(
                try await mortise.clerk("POST", "/api_keys", mine, as: alone)["subject"]?.string == ServerHarness.user
            )
            let shared = try await mortise.clerk("POST", "/api_keys", ours, as: active)
            #expect(shared["subject"]?.string == ServerHarness.organization)
            #expect(try await mortise.clerk("GET", "/api_keys?subject=&query=", as: alone).listedNames == ["Mine"])
            #expect(try await mortise.clerk("GET", "/api_keys?subject=", as: active).listedNames == ["Ours"])
            let own = try await mortise.clerk("GET", "/api_keys?subject=\(ServerHarness.user)", as: active)
            #expect(own.listedNames == ["Mine"])
        }
    }

    @Test func `a search text with a comma is one text`() async throws {
        try await withSessions { mortise in
            _ = try await mortise.makeAPIKey("red, green")
            _ = try await mortise.makeAPIKey("red and blue")
            let session = try signer.session()
            let both = try await mortise.clerk("GET", "/api_keys?query=RED", as: session)
            #expect(both["total_count"] == 2)
            let split = try await mortise.clerk("GET", "/api_keys?query=red&query=%20green", as: session)
            #expect(split.listedNames == ["red, green"], "\(split)")
        }
    }

    // The attack: a user of the application names another user, another organization or one of their keys.
    @Test func `a session cannot reach another subject, and the refusal is not a 401`() async throws {
        try await withSessions { mortise in
            let theirs = try await mortise.makeAPIKey("Theirs", subject: ServerHarness.otherUser)
            let ours = try await mortise.makeAPIKey("Ours", subject: ServerHarness.organization)
            let session = try signer.session()
            for subject in [ServerHarness.otherUser, ServerHarness.organization] {
                let list = try await mortise.clerk("GET", "/api_keys?subject=\(subject)", as: session)
                #expect(list.status == 403 && list.clerkCode == "authorization_invalid", "\(list)")
                let body: JSONValue = ["name": "Created", "subject": .string(subject)]
                let made = try await mortise.clerk("POST", "/api_keys", body, as: session)
                #expect(made.status == 403, "\(made)")
            }
            let unknown = "ak_" + String(repeating: "0", count: 32)
            var reference: JSONValue?
            for id in [theirs.id, ours.id, unknown] {
                let revoked = try await mortise.clerk("POST", "/api_keys/\(id)/revoke", [:], as: session)
                #expect(revoked.status == 404, "\(revoked)")
                #expect(revoked["errors"] == reference ?? revoked["errors"])
                reference = revoked["errors"]
                let changed = try await mortise.clerk("PATCH", "/api_keys/\(id)", ["description": "x"], as: session)
                #expect(changed.status == 404, "\(changed)")
            }
            #expect(try await mortise.clerkVerify(theirs.secret) == 200)
            #expect(try await mortise.clerkVerify(ours.secret) == 200)
            let acme = try await mortise.makeOrganization("Foreign")
            let elsewhere = try await mortise.clerk("GET", "/workspaces/\(acme.workspaceID)/api_keys", as: session)
            #expect(elsewhere.status == 404, "\(elsewhere)")
        }
    }

    @Test func `a session's role decides its access to an organization's keys`() async throws {
        try await withSessions { mortise in
            let organization = ServerHarness.organization
            let ours = try await mortise.makeAPIKey("Ours", subject: organization)
            let expected: [(String, read: Int, make: Int, revoke: Int)] = [
                ("admin", 200, 201, 200), ("member", 200, 403, 403), ("guest", 403, 403, 404),
            ]
            for (role, read, make, revoke) in expected.reversed() {
                for session in [
                    try signer.session(organization: organization, role: role),
                    try signer.oldSession(organization: organization, role: "org:\(role)"),
                ] {
                    let list = try await mortise.clerk("GET", "/api_keys?subject=\(organization)", as: session)
                    #expect(list.status == read, "\(role): \(list)")
                    let name = "By \(role) \(UInt64.random(in: 0...UInt64.max))"
                    let made = try await mortise.clerk("POST", "/api_keys", ["name": .string(name)], as: session)
                    #expect(made.status == make, "\(role): \(made)")
                    let revoked = try await mortise.clerk("POST", "/api_keys/\(ours.id)/revoke", [:], as: session)
                    #expect(revoked.status == revoke, "\(role): \(revoked)")
                }
            }
        }
    }

    @Test func `a session can set fewer members than a secret key and cannot call backend operations`() async throws {
        try await withSessions { mortise in
            let key = try await mortise.makeAPIKey("Mine")
            let session = try signer.session()
            for member in ["claims", "scopes", "created_by"] {
                let value: JSONValue = member == "scopes" ? ["all"] : .string(ServerHarness.user)
                let body: JSONValue = .object(["name": "With more", member: value])
                let made = try await mortise.clerk("POST", "/api_keys", body, as: session)
                #expect(made.status == 400 && made.clerkParameters == [member], "\(made)")
            }
            let machine: JSONValue = [
                "name": "Machine's", "subject": .string("mch_" + String(repeating: "a", count: 27)),
            ]
            #expect(try await mortise.clerk("POST", "/api_keys", machine, as: session).status == 400)
            let described = try await mortise.clerk(
                "PATCH",
                "/api_keys/\(key.id)",
                ["description": "mine"],
                as: session
            )
            #expect(described["description"] == "mine", "\(described)")
            let widened = try await mortise.clerk("PATCH", "/api_keys/\(key.id)", ["scopes": ["all"]], as: session)
            #expect(widened.status == 400, "\(widened)")
            for (method, path) in [
                ("GET", "/api_keys/\(key.id)"), ("GET", "/api_keys/\(key.id)/secret"),
                ("DELETE", "/api_keys/\(key.id)"),
                ("POST", "/api_keys/\(key.id)?_method=DELETE"), ("POST", "/api_keys/verify"),
            ] {
                let body: JSONValue? = path.hasSuffix("verify") ? ["secret": .string(key.secret)] : nil
                let answer = try await mortise.clerk(method, path, body, as: session)
                #expect(answer.status == 403 && answer.clerkCode == "authorization_invalid", "\(path): \(answer)")
            }
        }
    }

    @Test func `an invalid session gets 401, and a valid one works on this surface only`() async throws {
        try await withSessions { mortise in
            let stranger = try SessionSigner(keyID: "ins_1")
            let bad = [
                try stranger.session(), try signer.session(ServerHarness.user, ["iss": "https://elsewhere.example"]),
                try signer.session(ServerHarness.user, ["exp": 1_700_000_000]), "a.b.c", "..",
                try signer.session() + "A", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
            ]
            for session in bad {
                let answer = try await mortise.clerk("GET", "/api_keys", as: session)
                #expect(answer.status == 401 && answer.clerkCode == "authentication_invalid", "\(answer)")
            }
            let native = try await mortise.api.get("/v1/workspaces", as: try signer.session())
            #expect(native.status == 401)
        }
    }

    @Test func `an event names the user of the session`() async throws {
        try await withSessions { mortise in
            let made = try await mortise.clerk("POST", "/api_keys", ["name": "Watched"], as: try signer.session())
            #expect(made.status == 201, "\(made)")
            let events = try await mortise.api.get("/v1/workspaces/default/events", as: mortise.adminToken)
            let actor = events["data"]?.array?.first?["actor"]?.string
            #expect(actor == "session:\(ServerHarness.user)", "\(events)")
        }
    }

    // The attack: the subject of a session is that of a key of another dialect, or an organization without a role.
    @Test func `a session whose subject is no user reaches no keys, and is not ended for that`() async throws {
        try await withSessions { mortise in
            for subject in ["user_1", "org_2abcdefghijklmnopqrstuvwxyz", "alice"] {
                let token = try signer.session(subject)
                for method in ["GET", "POST"] {
                    let answer = try await mortise.clerk(method, "/api_keys", as: token)
                    #expect(answer.status == 403, "\(subject) \(method): \(answer)")
                }
            }
        }
    }
}
