import JSON
import ServerTestSupport
import TestSupport
import Testing

/// An expired admin key is refused on every surface, for reads and for changes.
@Suite(.hangLimit) struct ExpiredCredentialTests {
    // The attack: somebody uses a key that was valid for one day on the next day.
    @Test func `an expired admin key is refused on every surface`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let path = "/v1/organizations/default/admin-keys"
            let body: JSONValue = [
                "name": "for a day", "permissions": ["keys:read", "keys:write", "keys:verify"],
                "expires_at": "2099-01-01T00:00:00Z",
            ]
            let made = try await api.post(path, body, as: mortise.adminToken)
            let token = try made.string("token")
            let key = [("X-API-Key", token)]
            func answers() async throws -> [Answer] {
                [
                    try await api.get(ServerHarness.keys(), as: token),
                    try await api.post(ServerHarness.keys(), ["name": "late"], as: token),
                    try await mortise.verify("nonsense", as: token),
                    try await FluxbaseClient.bare(mortise, "GET", "/admin/service-keys", key),
                    try await FluxbaseClient.bare(mortise, "GET", "/client-keys", key),
                    try await mortise.clerk("GET", "/v1/api_keys?subject=\(ServerHarness.user)", as: token),
                    try await mortise.clerk("POST", "/v1/api_keys/verify", ["secret": "ak_x"], as: token),
                    try await mortise.boltz("GET", ServerHarness.boltzKeys, as: token),
                    try await mortise.boltz("GET", "/compute/v1/auth/me", as: token),
                ]
            }
            #expect(try await answers().map(\.status) == [200, 201, 200, 200, 200, 200, 404, 200, 200])
            try await mortise.script(
                mortise.installation.control,
                "UPDATE auth.service_keys SET expires_at = now() WHERE name = 'for a day'"
            )
            let late = try await answers()
            #expect(late.map(\.status) == late.map { _ in 401 })
            let codes = late.compactMap { $0.code ?? $0["errors"]?.array?.first?["code"]?.string }
            let clerk = "clerk_key_invalid"
            #expect(
                codes == [
                    "unauthorized", "unauthorized", "unauthorized", "INVALID_TOKEN", "INVALID_TOKEN", clerk, clerk,
                    "unauthorized", "unauthorized",
                ]
            )
        }
    }
}
