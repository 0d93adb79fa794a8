import JSON
import Keys
import Server
import ServerTestSupport
import Telemetry
import TestSupport
import Testing

/// Signing in with an OpenID provider on a node whose clock is wrong.
@Suite(.hangLimit) struct ProviderClockTests {
    private let ada = TestProvider.Person("sub-ada", email: "ada@example.org")

    // The fault: the node's clock decided, so a node that was hours behind refused every token as one from the future, and a node that was
    // hours ahead refused every token as expired.
    @Test(arguments: [3, -3])
    func `a member signs in on a node whose clock is hours off, and an old token begins no session`(hours: Int64)
        async throws
    {
        try await withProvider {
            $0.providerTime = nil
            $0.now = {
                Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds() + hours * 3_600_000_000)
            }
        } _: { console, provider in
            _ = try await console.mortise.addMember("ada@example.org", "owner")
            let now = systemMicroseconds() / 1_000_000
            provider.lie { $0.claims = [("iat", .integer(now)), ("exp", .integer(now + 3600))] }
            let browser = console.browser()
            let page = try await browser.signIn(ada, with: provider)
            #expect(page.status == 200 && browser.cookies["__Host-mortise"] != nil, "\(page.text)")
            let lies: [(claims: [(String, JSONValue?)], reason: String)] = [
                ([("iat", .integer(now - 7200)), ("exp", .integer(now - 3600))], "it has expired"),
                ([("iat", .integer(now + 7200)), ("exp", .integer(now + 10_800))], "it is from the future"),
            ]
            for (claims, reason) in lies {
                provider.lie { $0.claims = claims }
                let thief = console.browser()
                let refused = try await thief.signIn(ada, with: provider)
                #expect(refused.status == 502 && thief.cookies["__Host-mortise"] == nil, "\(reason): \(refused.text)")
                #expect(console.mortise.log.lines.contains { $0.metadata["reason"] == reason }, "\(reason)")
            }
        }
    }
}
