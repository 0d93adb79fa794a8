import HTTPTestSupport
import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Signing in with a provider, or with somebody between, that breaks the rules of ID tokens (OpenID Connect Core section 3.1.3.7).
@Suite(.hangLimit) struct ProviderLieTests {
    private static let now = TestProvider.now

    /// A rule of ID tokens and a way to break it.
    private struct Lie: Sendable {
        let name: String
        let tell: @Sendable (inout TestProvider.Lies) -> Void

        init(_ name: String, _ tell: @escaping @Sendable (inout TestProvider.Lies) -> Void) {
            self.name = name
            self.tell = tell
        }

        /// A claim with another value, or without one.
        static func claim(_ name: String, _ value: JSONValue?) -> Lie {
            Lie("\(name): \(value?.text ?? "absent")") { $0.claims = [(name, value)] }
        }
    }

    private static let claims: [Lie] = [
        // A token of another provider, or one that leaves open whose it is.
        .claim("iss", "https://evil.example"), .claim("iss", nil), .claim("iss", ["https://evil.example"]),
        // A token that the provider made for another application, which passes it on here.
        .claim("aud", "another client"), .claim("aud", nil), .claim("aud", []), .claim("aud", ["another client"]),
        .claim("azp", "another client"), .claim("azp", 1),
        Lie("several audiences without azp") {
            $0.claims = [("aud", [.string(TestProvider.client), "another client"])]
        },
        Lie("an audience that is no text beside the client") {
            $0.claims = [("aud", [.string(TestProvider.client), 7])]
        },
        Lie("several audiences with another azp") {
            $0.claims = [("aud", [.string(TestProvider.client), "another client"]), ("azp", "another client")]
        },
        // A token of an earlier sign-in that somebody has kept.
        .claim("nonce", "another nonce"), .claim("nonce", nil), .claim("nonce", ""),
        // Tokens out of their time, beyond the difference of clocks.
        .claim("exp", .integer(now - 60)), .claim("exp", nil), .claim("exp", "2100-01-01"),
        .claim("iat", .integer(now + 61)), .claim("iat", nil), .claim("nbf", .integer(now + 61)),
        // No subject, or one that would fit several people.
        .claim("sub", nil), .claim("sub", ""), .claim("sub", 7),
        .claim("sub", .string(String(repeating: "a", count: 256))),
        .claim("sub", "sub\nada"),
    ]

    private static let signatures: [Lie] = [
        Lie("alg none") { $0.sign = { try $0.unsigned($1, algorithm: "none") } },
        Lie("alg None") { $0.sign = { try $0.unsigned($1, algorithm: "None") } },
        Lie("no signature") { $0.sign = { try $0.unsigned($1, algorithm: "RS256") } },
        // The public key is known to everybody.
        Lie("HS256 with the public key") { $0.sign = { try $0.hs256($1, secret: $0.publicPEM) } },
        Lie("HS256 with the client's secret") { $0.sign = { try $0.hs256($1, secret: TestProvider.secret) } },
        Lie("an algorithm that the provider does not announce") { $0.sign = { try $0.rs512($1) } },
        Lie("the key of somebody else with the same id") { $0.sign = { try IssuerKeys($0.id).rs256($1) } },
        Lie("an id that no key has") { $0.sign = { try $0.rs256($1, header: [("kid", "unknown")]) } },
        Lie("the id of another key") { $0.sign = { try $0.rs256($1, header: [("kid", .string("\($0.id)-es"))]) } },
        Lie("no id, and several keys") { $0.sign = { try $0.rs256($1, header: [("kid", nil)]) } },
        Lie("a token of another type") { $0.sign = { try $0.rs256($1, header: [("typ", "at+jwt")]) } },
        Lie("a critical extension") { $0.sign = { try $0.rs256($1, header: [("crit", ["b64"])]) } },
        Lie("a changed claim") {
            $0.sign = { keys, claims in
                var other = claims
                other["sub"] = "sub-thief"
                let parts = try [keys.rs256(claims), keys.rs256(other)].map { $0.split(separator: ".") }
                return "\(parts[0][0]).\(parts[1][1]).\(parts[0][2])"
            }
        },
        Lie("no token") { $0.replies = ["/token": .json(#"{"access_token":"a","token_type":"Bearer"}"#)] },
        Lie("a token that is no text") { $0.replies = ["/token": .json(#"{"id_token":{"sub":"a"}}"#)] },
        Lie("two claims of one name") {
            $0.sign = { keys, claims in
                // A reader that takes the first claim and one that takes the last see two people.
                let text = JSONValue.object(claims).text
                return try keys.rs256(text: String(text.dropLast()) + #","sub":"sub-thief"}"#)
            }
        },
    ]

    /// Signs in with each lie, and then without it.
    private func expectRefusals(of lies: [Lie]) async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let ada = TestProvider.Person("sub-ada", email: "ada@example.org")
            for lie in lies {
                provider.lie(lie.tell)
                let browser = console.browser()
                let page = try await browser.signIn(ada, with: provider)
                #expect(page.status == 502 && browser.cookies["__Host-mortise"] == nil, "\(lie.name): \(page.text)")
                #expect(page.element("alert")?.contains("does not answer as it should") == true, "\(lie.name)")
                // The lie alone was the reason.
                provider.lie { $0 = TestProvider.Lies() }
                #expect(try await console.browser().signIn(ada, with: provider).status == 200, "\(lie.name)")
            }
            // The log names each rule, so that an operator finds it, and no token.
            let lines = console.mortise.log.lines.filter { $0.message == "a sign-in with the identity provider failed" }
            #expect(lines.count == lies.count)
            #expect(!console.mortise.log.lines.contains { $0.text.contains("eyJ") })
        }
    }

    // The attacks stand beside the claims.
    @Test func `an ID token with a claim that breaks a rule begins no session`() async throws {
        try await expectRefusals(of: Self.claims)
    }

    // The attacks are in the names.
    @Test func `an ID token without a signature of the provider's key begins no session`() async throws {
        try await expectRefusals(of: Self.signatures)
    }

    @Test
    func `clocks that differ by less than a minute, several audiences with azp, and other algorithms are no faults`()
        async throws
    {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let ada = TestProvider.Person("sub-ada", email: "ada@example.org")
            let client = JSONValue.string(TestProvider.client)
            for lie in [
                Lie.claim("exp", .integer(Self.now - 59)), .claim("iat", .integer(Self.now + 60)),
                .claim("nbf", .integer(Self.now + 60)), .claim("aud", [client]),
                Lie("azp") {
                    $0.claims = [
                        ("aud", [.string(TestProvider.client), "another"]), ("azp", .string(TestProvider.client)),
                    ]
                },
                Lie("ES256") { $0.sign = { try $0.es256($1) } },
            ] {
                provider.lie { $0 = TestProvider.Lies() }
                provider.lie(lie.tell)
                #expect(try await console.browser().signIn(ada, with: provider).status == 200, "\(lie.name)")
            }
        }
    }

    // OpenID Connect Core section 10.1: a provider with one key need not name it.
    @Test func `a token without a key id is tried against the only key`() async throws {
        try await withProvider { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            for hasID in [true, false] {
                let set = try provider.keys.rsaKeySet(hasID: hasID)
                try await provider.lie(to: console) {
                    $0.keySet = set
                    $0.sign = { try $0.rs256($1, header: [("kid", nil)]) }
                }
                let ada = TestProvider.Person("sub-ada", email: "ada@example.org")
                #expect(try await console.browser().signIn(ada, with: provider).status == 200)
            }
        }
    }
}
