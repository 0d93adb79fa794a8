import JSON
import ServerTestSupport
import Service
import Testing

/// The metadata of an identity provider on another machine.
@Suite struct ProviderMetadataTests {
    private static let issuer = "https://login.example.com"

    /// Examines a provider whose metadata have changes.
    private func fault(_ changes: [(String, JSONValue?)], _ keys: String) async -> SignInFault? {
        var metadata: JSONObject = [
            "issuer": .string(Self.issuer), "authorization_endpoint": .string("\(Self.issuer)/authorize"),
            "token_endpoint": .string("\(Self.issuer)/token"), "jwks_uri": .string("\(Self.issuer)/jwks"),
            "userinfo_endpoint": .string("\(Self.issuer)/userinfo"),
        ]
        for (name, value) in changes { metadata[name] = value }
        let document = JSONValue.object(metadata).text
        let provider = IdentityProvider(
            issuer: Self.issuer,
            clientID: "mortise",
            clientSecret: ClientSecret("a client secret"),
            name: "Acme"
        )
        return await SignInFault.find(provider) { request in
            OutboundAnswer(status: 200, body: Array((request.url.hasSuffix("/jwks") ? keys : document).utf8))
        }
    }

    // The attack: whoever controls the metadata makes Mortise ask servers that only its machine reaches, or send a secret or take keys over
    // a connection that others read and change.
    @Test func `every URL of a provider elsewhere is https, and names its host plainly`() async throws {
        let keys = try IssuerKeys().keySet().text
        #expect(await fault([], keys) == nil)
        let urls = [
            "http://127.0.0.1:5432/", "http://localhost/", "http://[::1]/", "http://169.254.169.254/latest/",
            "http://login.example.com/", "file:///etc/passwd", "javascript:alert(1)", "//evil.example/", "/token", "",
            "https://", "https://login.example.com@evil.example/", "https://evil.example\\@login.example.com/",
            "https://login.example.com;sandbox/", "https://login.example.com/ x", "https://login.example.com/#x",
        ]
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            for url in urls { #expect(await fault([(name, .string(url))], keys) != nil, "\(name): \(url)") }
        }
    }

    // The attack: a text of the provider's choice in the log, as long as an answer can be. A slash at the end is the usual fault.
    @Test func `metadata of another issuer name it if it is one, and no other text`() async throws {
        let keys = try IssuerKeys().keySet().text
        for (issuer, shown) in [
            ("https://login.example.com/", "https://login.example.com/"),
            ("call 555", "a text that is not an issuer URL"),
            (String(repeating: "a", count: 100_000), "a text that is not an issuer URL"),
        ] {
            let sentence = try #require(await fault([("issuer", .string(issuer))], keys)).sentence
            #expect(sentence.contains("the metadata is of another issuer: \(shown)."), "\(sentence.prefix(200))")
        }
    }
}
