import HTTPTestSupport
import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Signing in with a provider that is down, slow, too talkative, or somewhere else.
@Suite(.hangLimit) struct ProviderOutageTests {
    private let ada = TestProvider.Person("sub-ada", email: "ada@example.org")
    private static let metadata = "/.well-known/openid-configuration"

    /// A fault of the provider.
    private struct Fault: Sendable {
        let name: String
        var replies: [String: Reply] = [:]
        var metadata: [(String, JSONValue?)] = []

        init(_ name: String, _ path: String, _ reply: Reply) {
            self.name = name
            replies[path] = reply
        }

        init(_ name: String, _ member: String, is value: JSONValue?) {
            self.name = name
            metadata = [(member, value)]
        }
    }

    private static let faults: [Fault] = [
        Fault("it hangs up", metadata, .hangUp), Fault("it never answers", metadata, .silence),
        Fault("it answers a byte at a time", "/jwks", .drip), Fault("it has no metadata", metadata, .answer(404, "{}")),
        Fault("its metadata are no JSON", metadata, .json("<html>")),
        // A redirect would let the answer of any server count, and reach servers that only this machine reaches.
        Fault(
            "its metadata are elsewhere",
            metadata,
            .answer(302, "", headers: [("Location", "http://169.254.169.254/")])
        ),
        Fault("its keys are elsewhere", "/jwks", .answer(307, "", headers: [("Location", "/jwks2")])),
        Fault("it answers 10 MB", "/jwks", .json(String(repeating: " ", count: 10 << 20))),
        Fault("it has no key", "/jwks", .json(#"{"keys":[]}"#)),
        Fault("its only key is a shared secret", "/jwks", .json(#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}"#)),
        Fault("its metadata are of another issuer", "issuer", is: "https://evil.example"),
        Fault("its token endpoint is not encrypted", "token_endpoint", is: "http://provider.example/token"),
        Fault("its keys are in a file", "jwks_uri", is: "file:///etc/passwd"),
        Fault("its page is no URL of the web", "authorization_endpoint", is: "javascript:alert(1)"),
        Fault("its page is somebody else's", "authorization_endpoint", is: "https://login.example@evil.example/"),
        // The host is in the policy of the sign-in page, which would then forbid forms and with them passwords.
        Fault("its page has a rule in its host", "authorization_endpoint", is: "https://login.example;sandbox/"),
        Fault("it has no token endpoint", "token_endpoint", is: nil),
        Fault("it signs with shared secrets alone", "id_token_signing_alg_values_supported", is: ["HS256", "none"]),
        Fault("it does not know S256", "code_challenge_methods_supported", is: ["plain"]),
    ]

    // The fault stands in the name. Passwords go on working, and so does the provider as soon as it is well.
    @Test func `a provider that cannot be used is a sentence, and passwords work`() async throws {
        try await withProvider {
            $0.outboundDeadline = .seconds(2).onThisMachine
        } _: { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            for fault in Self.faults {
                try await provider.lie(to: console) {
                    $0.replies = fault.replies
                    $0.metadata = fault.metadata
                }
                let browser = console.browser()
                let form = try await browser.get("/console/sign-in")
                let fields = [("csrf", try form.field("csrf")), ("next", "/console/")]
                let page = try await browser.post("/console/oidc", fields)
                #expect(page.status == 502, "\(fault.name): \(page.text)")
                #expect(page.element("alert")?.contains("does not answer as it should") == true, "\(fault.name)")
                #expect(browser.cookies["__Host-mortise-oidc"] == nil)
                provider.lie { $0 = TestProvider.Lies() }
                provider.pass(.seconds(5))
                #expect(try await console.browser().signIn(ada, with: provider).status == 200, "\(fault.name)")
            }
            provider.lie { $0.replies = [Self.metadata: .hangUp] }
            provider.pass(.seconds(90_000))
            #expect(try await console.browser().signIn("ada@example.org").status == 303)
        }
    }

    /// Faults of the token endpoint.
    private static let exchanges: [Reply] = [
        .hangUp, .silence, .drip, .answer(500, "{}"), .answer(302, "", headers: [("Location", "/token2")]), .json("[]"),
        .json(String(repeating: " ", count: 10 << 20)), .answer(400, #"{"error":"<script>"}"#),
    ]

    // The provider fails in the middle of a sign-in, when the code is on its way.
    @Test func `a provider that fails at the exchange of the code begins no session`() async throws {
        try await withProvider {
            $0.outboundDeadline = .seconds(2).onThisMachine
        } _: { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            for (number, reply) in Self.exchanges.enumerated() {
                let browser = console.browser()
                let callback = try provider.signIn(ada, at: try await browser.startAtProvider())
                provider.lie { $0.replies = ["/token": reply] }
                let page = try await browser.follow(callback)
                #expect(page.status == 502 && browser.cookies["__Host-mortise"] == nil, "\(number)")
                provider.lie { $0 = TestProvider.Lies() }
            }
        }
    }

    // The provider has a new key, which this node does not know yet; and a token that names a key that nobody has.
    @Test func `a key that is unknown is looked for once a minute at most, and found when the provider has it`()
        async throws
    {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
            let new = try IssuerKeys("k2")
            let set = try new.keySet()
            provider.lie { $0.sign = { _, claims in try new.rs256(claims) } }
            let before = provider.count("/jwks")
            provider.pass(.seconds(61))
            for _ in 0..<3 { #expect(try await console.browser().signIn(ada, with: provider).status == 502) }
            #expect(provider.count("/jwks") == before + 1)
            provider.lie { $0.keySet = set }
            provider.pass(.seconds(61))
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
        }
    }

    // The provider's keys have no ids, and it has replaced its key since this node read them.
    @Test func `a signature that the only key did not make lets the keys be read again, once a minute at most`()
        async throws
    {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let (old, new) = (try IssuerKeys("old"), try IssuerKeys("new"))
            let (oldSet, newSet) = (try old.rsaKeySet(hasID: false), try new.rsaKeySet(hasID: false))
            try await provider.lie(to: console) {
                $0.keySet = oldSet
                $0.sign = { _, claims in try old.rs256(claims, header: [("kid", nil)]) }
            }
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
            provider.lie { $0.sign = { _, claims in try new.rs256(claims, header: [("kid", nil)]) } }
            let before = provider.count("/jwks")
            provider.pass(.seconds(61))
            for _ in 0..<3 { #expect(try await console.browser().signIn(ada, with: provider).status == 502) }
            #expect(provider.count("/jwks") == before + 1)
            provider.lie { $0.keySet = newSet }
            #expect(try await console.browser().signIn(ada, with: provider).status == 502)
            provider.pass(.seconds(61))
            for _ in 0..<2 { #expect(try await console.browser().signIn(ada, with: provider).status == 200) }
            #expect(provider.count("/jwks") == before + 2)
        }
    }

    // The provider is down for an hour: people who start before it is back must not wait for it.
    @Test func `metadata that cannot be read again are used for a day`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            _ = try await console.browser().startAtProvider()
            provider.lie { $0.replies = [Self.metadata: .answer(503, "{}")] }
            provider.pass(.seconds(7200))
            #expect(try await console.browser().signIn(ada, with: provider).status == 200)
        }
    }
}
