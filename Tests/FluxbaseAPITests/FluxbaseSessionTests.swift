import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// Sign-in, refresh and sign-out as in the SDK.
@Suite(.hangLimit) struct FluxbaseSessionTests {
    private static let credentials: JSONValue = [
        "email": "user@example.com", "password": .string(ServerHarness.password),
    ]

    @Test func `a sign-in ignores other credentials and tenants in the SDK's headers`() async throws {
        try await withMortise { mortise in
            let user = try await mortise.makeUser("user@example.com", role: "member")
            for junk in ["anon", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", mortise.adminToken, "mks_live_x", "Bearer", " "] {
                let client = FluxbaseClient(mortise, key: junk, tenant: "no-such-tenant")
                let answer = try await client.post("/auth/signin", Self.credentials)
                #expect(answer.status == 200, "\(junk): \(answer)")
                #expect(answer["user", "id"] == .string(user.id))
                #expect(answer["user", "email"] == "user@example.com")
                #expect(answer["expires_in"] == 900)
                #expect(answer["requires_2fa"] == nil)
            }
            let client = try await mortise.fluxbase(signedInAs: user.email)
            let me = try await client.get("/auth/user")
            #expect(try me.string("id") == user.id)
            #expect(me["email_verified"] == true)
            #expect(me["role"] == "member")
        }
    }

    @Test func `a wrong password and an unknown address get the same answer`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.makeUser("user@example.com", role: "member")
            let client = FluxbaseClient(mortise, key: "anon")
            let wrong = try await client.post("/auth/signin", ["email": "user@example.com", "password": "wrong"])
            let unknown = try await client.post("/auth/signin", ["email": "nobody@example.com", "password": "wrong"])
            #expect(wrong.status == 401)
            #expect(wrong.error == "Invalid email or password")
            #expect(wrong.code == "INVALID_CREDENTIALS")
            #expect(unknown.status == 401)
            #expect(unknown.comparable == wrong.comparable)
            let cases: [(JSONValue, String)] = [
                ([:], "Email and password are required"), (["email": "user@example.com"], "Password is required"),
                (["email": "", "password": ""], "Email and password are required"),
                (["email": 1, "password": 2], "Invalid request body"),
            ]
            for (body, error) in cases {
                let answer = try await client.post("/auth/signin", body)
                #expect(answer.status == 400)
                #expect(answer.error == error)
            }
            let nul = try await client.post("/auth/signin", ["email": "user@example.com\u{0}", "password": "a\u{0}b"])
            #expect(nul.status == 400 || nul.status == 401)
        }
    }

    // The SDK answers a 401 with one refresh and one retry. The test performs these steps.
    @Test func `a client with an invalid access token can refresh and retry`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.makeUser("user@example.com", role: "member")
            var client = FluxbaseClient(mortise, key: "anon")
            let session = try await client.post("/auth/signin", Self.credentials)
            client.accessToken = try session.string("access_token") + "x"
            let refused = try await client.get("/client-keys")
            #expect(refused.status == 401)
            #expect(refused.error == "Invalid or expired token")
            #expect(refused.code == "INVALID_TOKEN")
            let refreshed = try await client.post(
                "/auth/refresh",
                ["refresh_token": .string(try session.string("refresh_token"))]
            )
            #expect(refreshed.status == 200)
            #expect(try refreshed.string("refresh_token") != session.string("refresh_token"))
            client.accessToken = try refreshed.string("access_token")
            #expect(try await client.get("/client-keys").status == 200)
        }
    }

    // The attack: somebody uses a stolen refresh token after its owner has used it.
    @Test func `a refresh token that is used twice ends the session`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.makeUser("user@example.com", role: "member")
            var client = FluxbaseClient(mortise, key: "anon")
            let session = try await client.post("/auth/signin", Self.credentials)
            let stolen: JSONValue = ["refresh_token": .string(try session.string("refresh_token"))]
            let refreshed = try await client.post("/auth/refresh", stolen)
            client.accessToken = try refreshed.string("access_token")
            #expect(try await client.get("/auth/user").status == 200)
            let reused = try await client.post("/auth/refresh", stolen)
            #expect(reused.status == 401)
            #expect(reused.code == "INVALID_TOKEN")
            #expect(try await client.get("/auth/user").status == 401)
            let rest: JSONValue = ["refresh_token": .string(try refreshed.string("refresh_token"))]
            #expect(try await client.post("/auth/refresh", rest).status == 401)
        }
    }

    @Test func `a sign-out without a body ends the session at once`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.makeUser("user@example.com", role: "member")
            let client = try await mortise.fluxbase(signedInAs: "user@example.com")
            #expect(try await client.post("/auth/signout").status == 200)
            #expect(try await client.get("/auth/user").status == 401)
            #expect(try await client.post("/auth/signout").status == 401)
        }
    }

    @Test func `only a user who manages the organization can sign in as an admin`() async throws {
        try await withMortise { mortise in
            let workspace = try await mortise.defaultWorkspaceID()
            _ = try await mortise.makeUser("owner@example.com", role: "owner")
            _ = try await mortise.makeUser("user@example.com", role: "member")
            _ = try await mortise.makeUser("tenant@example.com", role: "admin", workspace: workspace)
            var client = FluxbaseClient(mortise, key: "anon")
            for email in ["user@example.com", "tenant@example.com"] {
                let refused = try await client.post(
                    "/admin/login",
                    ["email": .string(email), "password": .string(ServerHarness.password)]
                )
                #expect(refused.status == 403)
                #expect(refused.code == "ADMIN_REQUIRED")
                #expect(refused["access_token"] == nil)
            }
            // A refused sign-in leaves no session.
            let open = "SELECT count(*) FROM control.sessions WHERE ended_at IS NULL"
            let left = try await mortise.rows(mortise.installation.control, open)
            #expect(try left.first?.decode(0, as: Int64.self) == 0)
            let wrong = try await client.post("/admin/login", ["email": "owner@example.com", "password": "x"])
            #expect(wrong.code == "INVALID_CREDENTIALS", "\(wrong)")
            let session = try await client.post(
                "/admin/login",
                ["email": "owner@example.com", "password": .string(ServerHarness.password)]
            )
            #expect(session.status == 200, "\(session)")
            #expect(session["user", "role"] == "instance_admin")
            client.accessToken = try session.string("access_token")
            #expect(try await client.get("/admin/me")["user", "email"] == "owner@example.com")
            #expect(try await client.get("/admin/service-keys").status == 200)
            let refreshed = try await client.post(
                "/admin/refresh",
                ["refresh_token": .string(try session.string("refresh_token"))]
            )
            #expect(refreshed.status == 200)
            client.accessToken = try refreshed.string("access_token")
            #expect(try await client.post("/admin/logout", [:]).status == 200)
            #expect(try await client.get("/admin/me").status == 401)
        }
    }

    // The attack: a stranger finds a new installation and becomes its admin.
    @Test func `the first admin can be created once and only with a key`() async throws {
        try await withMortise { mortise in
            let client = FluxbaseClient(mortise, key: "anon")
            let status = try await client.get("/admin/setup/status")
            #expect(status["needs_setup"] == true)
            #expect(status["has_admin"] == false)
            func setup(_ token: String, password: String = ServerHarness.password) -> JSONValue {
                [
                    "email": "first@example.com", "password": .string(password), "name": "First",
                    "setup_token": .string(token),
                ]
            }
            let stranger = try await client.post("/admin/setup", setup("guess"))
            #expect(stranger.status == 401)
            #expect(stranger.error == "Invalid setup token")
            #expect(
                try await client.post("/admin/setup", setup(mortise.operatorToken, password: "short")).status == 400
            )
            #expect(try await client.get("/admin/setup/status")["needs_setup"] == true)
            let made = try await client.post("/admin/setup", setup(mortise.operatorToken))
            #expect(made.status == 201, "\(made)")
            #expect(made["user", "name"] == "First")
            #expect(try await client.get("/admin/setup/status")["has_admin"] == true)
            let again = try await client.post("/admin/setup", setup(mortise.operatorToken))
            #expect(again.status == 409, "\(again)")
            let signedIn = try await mortise.fluxbase(signedInAs: "first@example.com")
            #expect(try await signedIn.get("/admin/tenants").status == 200)
        }
    }
}
