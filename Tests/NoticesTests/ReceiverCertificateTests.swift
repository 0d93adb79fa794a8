import HTTPTestSupport
import JSON
import Keys
import Notices
import Server
import ServerTestSupport
import TestSupport
import Testing

/// The certificates of receivers.
@Suite(.hangLimit) struct ReceiverCertificateTests {
    private static let reply: @Sendable (SeenRequest) -> Reply = { _ in .json("{}") }

    /// Runs a receiver with a certificate.
    private static func with(
        _ certificate: TestCertificate,
        _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.withTLS(certificate: certificate.certificate, key: certificate.key, reply, body)
    }

    // The attack: a machine in between answers for the receiver, with a certificate of its own or of another name.
    @Test func `an event goes to a receiver whose certificate is trusted and names the host, and to no other`()
        async throws
    {
        try await Self.with(.first) { trusted in
            try await Self.with(.second) { unknown in
                try await withMortise(configure: { configuration in
                    try? configuration.allowLoopback()
                    configuration.notices.authorities = TestCertificate.first.certificate
                    configuration.notices.resolver = HostResolver { _ in try #require(IPAddress("127.0.0.1")) }
                }) { mortise in
                    let urls = [
                        ("https://127.0.0.1:\(trusted.port)/address", true),
                        ("https://localhost:\(trusted.port)/name", true),
                        ("https://other.example:\(trusted.port)/other", false),
                        ("https://127.0.0.1:\(unknown.port)/unknown", false),
                    ]
                    var webhooks: [(webhook: TestWebhook, isAccepted: Bool)] = []
                    for (url, isAccepted) in urls {
                        webhooks.append((try await mortise.makeWebhook(url, ["key.created"]), isAccepted))
                    }
                    _ = try await mortise.makeServiceKey("a")
                    for (webhook, isAccepted) in webhooks {
                        let attempt = try #require(try await mortise.attempts(webhook, 1).first)
                        #expect((attempt["status_code"] == 200) == isAccepted, "\(attempt)")
                        #expect((attempt["error"]?.isNull == true) == isAccepted, "\(attempt)")
                    }
                    #expect(Set(trusted.requests.map(\.uri)) == ["/address", "/name"])
                    #expect(unknown.requests.isEmpty)
                }
            }
        }
    }
}
