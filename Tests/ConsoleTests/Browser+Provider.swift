import Server
import ServerTestSupport
import Testing

extension Browser {
    /// Presses the button of the identity provider, and returns the address to which the page leads.
    func startAtProvider(next: String = "/console/", at location: SourceLocation = #_sourceLocation) async throws
        -> String
    {
        let page = try await get("/console/sign-in")
        let answer = try await post("/console/oidc", [("csrf", try page.field("csrf")), ("next", next)])
        try #require(answer.status == 200, "\(answer.text)", sourceLocation: location)
        return try #require(answer.onward, "\(answer.text)", sourceLocation: location)
    }

    /// Signs in with the identity provider, and returns the page of the callback.
    @discardableResult
    func signIn(
        _ person: TestProvider.Person,
        with provider: TestProvider,
        next: String = "/console/",
        issuer: String? = nil
    ) async throws -> Page {
        let location = try await startAtProvider(next: next)
        return try await follow(try provider.signIn(person, at: location, issuer: issuer))
    }

    /// Follows the provider's redirect, with the header fields of a request from another site and without the cookies that are `Strict`.
    func follow(_ path: String) async throws -> Page {
        try await get(path, headers: [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")], onlyLax: true)
    }
}

extension TestProvider {
    /// Changes the deviations, and makes the server read the provider again.
    ///
    /// The start of the server reads it, too. Afterwards no read is under way.
    func lie(to console: ConsoleHarness, _ change: @Sendable (inout Lies) -> Void) async throws {
        _ = try await console.browser().startAtProvider()
        lie(change)
        pass(.seconds(90_000))
    }
}

extension Browser.Page {
    /// The address to which a page goes on by itself.
    var onward: String? {
        text.components(after: "http-equiv=\"refresh\" content=\"0; url=")
            .map { String($0.prefix { $0 != "\"" }).replacing("&amp;", with: "&") }
    }
}

/// Runs a server that knows a provider.
func withProvider<T: Sendable>(
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ConsoleHarness, TestProvider) async throws -> T
) async throws -> T {
    try await TestProvider.with { provider in
        try await withConsole {
            $0.identityProvider = provider.settings
            $0.providerTime = TestProvider.clock
            $0.elapsed = provider.age
            configure(&$0)
        } _: { console in
            try await body(console, provider)
        }
    }
}
