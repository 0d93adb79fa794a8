import Endpoints
import HTTPTypes
import Locks
import TestSupport
import Testing

/// The limit of all waits of a request.
@Suite(.hangLimit) struct WaitLimitTests {
    /// Returns the limits that the parts of a request get.
    private func limits(
        _ configure: (inout EndpointSettings) -> Void,
        _ send: @escaping @Sendable (SampleClient) async throws -> Void
    ) async throws -> [Duration] {
        let limits = Locked<[Duration]>([])
        var settings = EndpointSettings(credentialAge: .seconds(86_400))
        configure(&settings)
        settings.limitWaits = { limit, body in
            limits.withLock { $0.append(limit) }
            // The clock of the budget must have moved on.
            let start = ContinuousClock.now
            while ContinuousClock.now == start { await Task.yield() }
            try await body()
        }
        try await withSampleServer(settings) { client async throws in try await send(client) }
        return limits.withLock { $0 }
    }

    // Each wait had a limit of its own, and a request could meet all of them.
    @Test func `the authentication and the handler of a request share one limit`() async throws {
        let noted = try await limits {
            $0.waits = .seconds(3)
        } _: { client async throws in
            #expect(try await client.send(.get, "/v1/workspaces/w/keys").status == 200)
        }
        try #require(noted.count == 2)
        #expect(noted[0] == .seconds(3))
        #expect(noted[1] < .seconds(3))
    }

    private static let key = "/v1/workspaces/w/keys/00000000-0000-4000-8000-000000000000"

    // The deadline of a stop began behind the authentication of its caller, which had the time of any request.
    @Test(arguments: [nil, "stop", "another text"] as [String?])
    func `a request that stops keys has the limit of a stop from its authentication on`(text: String?) async throws {
        let noted = try await limits {
            $0.waits = .seconds(7200)
            $0.stopWaits = .seconds(3600)
        } _: { client async throws in
            guard let text else {
                #expect(try await client.send(.delete, Self.key).status == 204)
                return
            }
            #expect(try await client.send(.patch, Self.key, "{\"description\":\"\(text)\"}").status == 200)
        }
        try #require(noted.count == 2)
        // Only the body says if the request is a stop.
        #expect(noted[0] == .seconds(3600))
        #expect((noted[1] < .seconds(3600)) == (text != "another text"))
        #expect(noted[1] < .seconds(7200))
    }
}
