import Service
import Testing

/// The ports of URLs that others choose: a provider's metadata, and key sets.
@Suite struct OutboundPortTests {
    // The attack: a URL with the port 99999 ended the server, with each request whose session names its issuer.
    @Test(arguments: [
        ("https://keys.example/jwks", true), ("https://keys.example:8443/jwks", true), ("http://[::1]:65535/", true),
        ("https://[::1]/jwks", true), ("https://keys.example:/jwks", true), ("http://127.0.0.1:99999/jwks", false),
        ("https://keys.example:65536", false), ("https://[::1]:70000/", false), ("https://keys.example:0/", false),
        ("https://keys.example:99999999999999999999/", false), ("https://keys.example:+80/", false),
        ("HTTPS://KEYS.EXAMPLE/jwks", true), ("HTTPS://KEYS.EXAMPLE:99999/jwks", false),
    ])
    func `a port must exist`(_ url: String, _ hasPort: Bool) {
        #expect(OutboundRequest(url).hasPort == hasPort)
    }

    @Test func `an issuer has a port that exists`() {
        #expect(IdentityProvider.isIssuer("https://id.example:8443"))
        #expect(!IdentityProvider.isIssuer("https://id.example:99999"))
    }
}
