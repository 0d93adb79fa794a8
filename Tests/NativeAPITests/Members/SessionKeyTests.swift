import JSON
import Keys
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Keys and algorithms that may sign the sessions of an application.
@Suite(.hangLimit) struct SessionKeyTests {
    private static let now: Int64 = 1_800_000_000

    /// Adds a session issuer to the organization `default`.
    private func add(_ mortise: ServerHarness, _ keys: JSONValue, _ algorithms: JSONValue) async throws {
        let answer = try await mortise.api.post(
            "/v1/organizations/default/session-issuers",
            ["issuer": .string(IssuerKeys.issuer), "jwks": keys, "algorithms": algorithms],
            as: mortise.operatorToken
        )
        try #require(answer.status == 201, "\(answer)")
    }

    private func isAccepted(_ mortise: ServerHarness, _ token: String) async -> Bool {
        let time = Timestamp(microsecondsSinceUnixEpoch: Self.now * 1_000_000)
        return (try? await mortise.server.platform.sessionIssuers.principal(for: token, now: time)) != nil
    }

    // The attack: one of the issuer's keys is weak or has another purpose, and its algorithm is not configured.
    @Test func `a signature is accepted only by an algorithm that is configured for the issuer`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            let claims = IssuerKeys.claims(at: Self.now)
            let tokens = [
                "RS256": try keys.rs256(claims), "RS512": try keys.rs512(claims), "ES256": try keys.es256(claims),
                "EdDSA": try keys.ed25519(claims),
            ]
            for algorithms in [["RS256"], ["ES256"], ["RS512", "EdDSA"]] {
                try await add(mortise, try keys.keySet(), .array(algorithms.map(JSONValue.string)))
                for (name, token) in tokens {
                    #expect(await isAccepted(mortise, token) == algorithms.contains(name), "\(name) of \(algorithms)")
                }
                try await mortise.script(mortise.installation.control, "DELETE FROM control.session_issuers")
            }
        }
    }

    // The attack: somebody presents a signature that the key made for another algorithm.
    @Test func `a key that names its algorithm is used for no other`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            var named = try #require(try keys.keySet()["keys"]?.array?[3].object)
            named["alg"] = "RS256"
            try await add(mortise, ["keys": [.object(named)]], ["RS256", "RS512"])
            let claims = IssuerKeys.claims(at: Self.now)
            #expect(try await isAccepted(mortise, keys.rs256(claims)))
            #expect(try await !isAccepted(mortise, keys.rs512(claims)))
        }
    }
}
