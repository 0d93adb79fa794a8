import Endpoints
import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The headers that can carry a credential, and the answers to a missing or bad credential.
@Suite(.hangLimit) struct FluxbaseCredentialTests {
    static let headers = [
        "apikey", "X-API-Key", "X-Client-Key", "X-Service-Key", "Authorization: Bearer", "Authorization: bearer",
        "Authorization: ServiceKey",
    ]

    static func header(_ header: String, _ token: String) -> (String, String) {
        let parts = header.split(separator: ": ")
        return (String(parts[0]), parts.count > 1 ? "\(parts[1]) \(token)" : token)
    }

    @Test(arguments: headers) func `an admin key is accepted in each header, and bad credentials are refused`(
        _ header: String
    ) async throws {
        try await withMortise { mortise in
            let revoked = try await mortise.makeAdmin(["keys:read"])
            _ = try await mortise.api.post("\(revoked.path)/revoke", as: mortise.adminToken)
            for path in ["/client-keys", "/admin/service-keys", "/admin/tenants"] {
                let good = try await FluxbaseClient.bare(
                    mortise,
                    "GET",
                    path,
                    [Self.header(header, mortise.adminToken)]
                )
                #expect(good.status == 200, "\(path): \(good)")
                for token in [
                    "junk", revoked.token, mortise.adminToken + "x",
                    String(mortise.adminToken.dropLast()),
                    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
                ] {
                    let bad = try await FluxbaseClient.bare(mortise, "GET", path, [Self.header(header, token)])
                    #expect(bad.status == 401, "\(path): \(bad)")
                    #expect(bad.code == "INVALID_TOKEN")
                    #expect(bad.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                }
            }
        }
    }

    @Test func `a request without a credential gets its own error code`() async throws {
        try await withMortise { mortise in
            for headers in [[], [("Authorization", "Basic dTpw")], [("Authorization", "Bearer")], [("apikey", "")]] {
                let answer = try await FluxbaseClient.bare(mortise, "GET", "/client-keys", headers)
                #expect(answer.status == 401, "\(headers): \(answer)")
                #expect(answer.code == "MISSING_AUTHENTICATION")
                #expect(answer.error == "Missing authentication")
            }
        }
    }

    // The SDK sends the key that the client was created with as `apikey` in every request, also after a sign-in.
    @Test func `a header that the caller sets has priority over a header that the SDK adds`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.makeUser("user@example.com", role: "member")
            var client = try await mortise.fluxbase(signedInAs: "user@example.com")
            client.key = mortise.adminToken
            #expect(try await client.get("/auth/user")["email"] == "user@example.com")
            #expect(try await client.get("/admin/service-keys").status == 403)
            // A request with an expired session does not fall back to the key.
            client.accessToken = "expired"
            #expect(try await client.get("/admin/service-keys").status == 401)
            client.headers = [("X-API-Key", mortise.adminToken)]
            #expect(try await client.get("/admin/service-keys").status == 200)
        }
    }

    @Test func `a page of another origin can use the SDK`() async throws {
        try await withMortise { mortise in
            let asked = "authorization,apikey,content-type,x-fb-tenant"
            let preflight = try await mortise.api.send(
                "OPTIONS",
                "/api/v1/admin/service-keys",
                as: nil,
                headers: [
                    ("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "PUT"),
                    ("Access-Control-Request-Headers", asked),
                ]
            )
            #expect(preflight.status == 204)
            let allowed = preflight.headers["access-control-allow-headers"] ?? ""
            for name in asked.split(separator: ",") { #expect(allowed.contains(name)) }
            #expect(preflight.headers["access-control-allow-methods"]?.contains("PUT") == true)
            var client = mortise.fluxbase
            client.headers = [("Origin", "https://app.example.com")]
            let answer = try await client.get("/client-keys")
            #expect(answer.headers["access-control-allow-origin"] == "https://app.example.com")
            #expect(answer.headers["access-control-allow-credentials"] == nil)
        }
    }

    @Test func `an operator key cannot manage a tenant, and a key has no user`() async throws {
        try await withMortise { mortise in
            let client = FluxbaseClient(mortise, key: mortise.operatorToken)
            for path in ["/client-keys", "/admin/service-keys", "/admin/tenants"] {
                let answer = try await client.get(path)
                #expect(answer.status == 403, "\(answer)")
                #expect(answer.code == "INSUFFICIENT_PERMISSIONS")
            }
            let user = try await mortise.fluxbase.get("/auth/user")
            #expect(user.status == 403)
            #expect(try await mortise.fluxbase.post("/auth/signout").status == 200)
            #expect(try await mortise.fluxbase.get("/client-keys").status == 200)
        }
    }

    @Test func `an admin key is limited to its permissions and its addresses`() async throws {
        try await withMortise { mortise in
            let reader = try await mortise.makeAdmin(["keys:read"])
            let client = FluxbaseClient(mortise, key: reader.token)
            #expect(try await client.get("/admin/service-keys").status == 200)
            let refused = try await client.post("/admin/service-keys", ["name": "x"])
            #expect(refused.status == 403)
            #expect(refused.error == "Insufficient permissions")
            #expect(refused["message"]?.string?.contains("keys:write") == true)
            let bound = try await mortise.api.send(
                "PATCH",
                reader.path,
                ["allowed_ips": ["192.0.2.1"]],
                as: mortise.adminToken
            )
            #expect(bound.status == 200)
            #expect(try await client.get("/admin/service-keys").status == 401)
        }
    }
}
