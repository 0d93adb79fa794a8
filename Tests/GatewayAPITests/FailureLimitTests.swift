import Connections
import GatewayAPI
import HTTPTestSupport
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// The limit of unknown tokens that one client presents at the gateways of several nodes.
@Suite(.hangLimit) struct FailureLimitTests {
    private static func configure(_ configuration: inout ServerConfiguration) {
        configuration.gateway.addresses = [GatewayAddress(.tcp(host: "127.0.0.1", port: 0))]
    }

    /// Presents an unknown token several times at once.
    private func guess(_ count: Int, at node: ServerHarness) async throws -> [RawConnection.Answer] {
        let request = """
            GET /v1/authorize/organizations/default/ HTTP/1.1\r
            Host: mortise\r
            X-API-Key: guess\r
            X-Forwarded-For: 203.0.113.5\r
            \r

            """
        return try await RawConnection.with(try #require(node.gatewayAddresses.first)) { connection in
            try await connection.send(String(repeating: request, count: count))
            var answers: [RawConnection.Answer] = []
            for _ in 0..<count { answers.append(try #require(try await connection.answer())) }
            return answers
        }
    }

    private func check(_ nodes: [ServerHarness]) async throws {
        for node in nodes {
            let limits = try node.server.platform.databases.primaryLimits()
            try await eventually("the nodes know of each other") { limits.nodes == 2 }
        }
        let start = ContinuousClock.now
        for node in nodes + nodes {
            let answers = try await guess(15, at: node)
            #expect(answers.allSatisfy { $0.status == 401 }, "\(answers.map(\.status))")
        }
        var accepted = 60
        for node in nodes {
            let answers = try await guess(300, at: node)
            let refusal = try #require(answers.first { $0.status == 429 })
            #expect(refusal.reason == "rate_limited" && refusal["retry-after"] != nil, "\(refusal)")
            #expect(refusal["ratelimit-policy"] == "\"failures\";q=60;w=60", "\(refusal)")
            #expect(refusal["ratelimit"]?.hasPrefix("\"failures\";r=0;t=") == true, "\(refusal)")
            accepted += answers.count { $0.status == 401 }
        }
        // The limit of each node and one more, and what becomes available on a slow machine whose nodes get no report of each other.
        let seconds = Int((ContinuousClock.now - start).components.seconds) + 1
        #expect(accepted <= 2 * (61 + seconds), "\(accepted) in \(seconds) seconds")
    }

    // The fault: a client with an old key is told that it has guessed too often, because a second node runs.
    @Test func `no client is refused below the limit, however it spreads its guesses over the nodes`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation, configure: Self.configure) { first in
                try await withMortise(of: installation, configure: Self.configure) { second in
                    try await check([first, second])
                }
            }
        }
    }
}
