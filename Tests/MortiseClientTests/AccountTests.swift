import FoundationEssentials
import MortiseClient
import ServerTestSupport
import TestSupport
import Testing

/// The client against the real server: passwords and session issuers.
@Suite(.hangLimit) struct AccountTests {
    @Test func `changing a password ends the other sessions of the member and not this one`() async throws {
        try await withClients { admin, _ in
            let old = SecretToken("correct horse battery staple")
            let new = SecretToken("staple that horse again")
            _ = try await admin.members(of: "default").add(email: "ada@example.com", role: .owner, password: old)
            let here = try await admin.signIn(email: "ada@example.com", password: old)
            let elsewhere = try await admin.signIn(email: "ada@example.com", password: old)

            let wrong = try await #require(throws: MortiseError.self) {
                try await here.changePassword(current: new, new: new)
            }
            #expect(wrong.reason == .invalidRequest && wrong.faults.map(\.place) == ["/current_password"])
            let short = try await #require(throws: MortiseError.self) {
                try await here.changePassword(current: old, new: SecretToken("short"))
            }
            #expect(short.faults.map(\.place) == ["/new_password"])
            let key = try await #require(throws: MortiseError.self) {
                try await admin.changePassword(current: old, new: new)
            }
            #expect(key.reason == .forbidden)

            try await here.changePassword(current: old, new: new)
            #expect(try await here.me().user?.email == "ada@example.com")
            let ended = try await #require(throws: MortiseError.self) { try await elsewhere.me() }
            #expect(ended.reason == .unauthenticated)
            await #expect(throws: MortiseError.self) {
                try await admin.signIn(email: "ada@example.com", password: old)
            }
            _ = try await admin.signIn(email: "ada@example.com", password: new)
        }
    }

    @Test func `only an operator key can add, list and remove session issuers`() async throws {
        try await withClients { admin, platform in
            let issuers = platform.sessionIssuers(of: "default")
            // The public key of RFC 8037, appendix A.2.
            let key: JSONContent = [
                "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            ]
            let fixed = try await issuers.add(
                issuer: "https://one.example",
                keys: .inline(["keys": [key]]),
                algorithms: ["EdDSA"],
                authorizedParties: ["https://app.example"],
                readRoles: ["member"],
                manageRoles: []
            )
            #expect(fixed.hasInlineJWKS && fixed.jwksURL == nil && fixed.algorithms == ["EdDSA"])
            #expect(fixed.authorizedParties == ["https://app.example"])
            #expect(fixed.readRoles == ["member"] && fixed.manageRoles.isEmpty)
            let hosted = try await issuers.add(issuer: "https://two.example", keys: .url("https://two.example/jwks"))
            #expect(hosted.jwksURL == "https://two.example/jwks" && hosted.manageRoles == ["admin"])
            let mounted = try await issuers.add(issuer: "https://three.example", keys: .file("/etc/jwks.json"))
            #expect(mounted.jwksFile == "/etc/jwks.json")
            #expect(try await issuers.list(limit: 2).all() == [mounted, hosted, fixed])

            let twice = try await #require(throws: MortiseError.self) {
                try await issuers.add(issuer: "https://two.example", keys: .url("https://two.example/jwks"))
            }
            #expect(twice.reason == .conflict)
            let plain = try await #require(throws: MortiseError.self) {
                try await issuers.add(issuer: "https://four.example", keys: .url("http://four.example/jwks"))
            }
            #expect(plain.faults.map(\.place) == ["/jwks_url"])
            let forbidden = try await #require(throws: MortiseError.self) {
                try await admin.sessionIssuers(of: "default").list().all()
            }
            #expect(forbidden.reason == .forbidden)

            try await issuers.remove(hosted.id)
            #expect(try await issuers.list().all() == [mounted, fixed])
            let gone = try await #require(throws: MortiseError.self) { try await issuers.remove(hosted.id) }
            #expect(gone.reason == .notFound)
        }
    }
}
