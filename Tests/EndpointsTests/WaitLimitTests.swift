import Endpoints
import HTTPTypes
import Locks
import TestSupport
import Testing

/// The limit of all waits of a request.
@Suite(.hangLimit) struct WaitLimitTests {
    // Each wait had a limit of its own, and a request could meet all of them.
    @Test func `the authentication and the handler of a request share one limit`() async throws {
        let limits = Locked<[Duration]>([])
        var settings = EndpointSettings()
        settings.waits = .seconds(3)
        settings.limitWaits = { limit, body in
            limits.withLock { $0.append(limit) }
            // The clock of the budget must have moved on.
            let start = ContinuousClock.now
            while ContinuousClock.now == start { await Task.yield() }
            try await body()
        }
        try await withSampleServer(settings) { client async throws in
            #expect(try await client.send(.get, "/v1/workspaces/w/keys").status == 200)
        }
        let noted = limits.withLock { $0 }
        try #require(noted.count == 2)
        #expect(noted[0] == .seconds(3))
        #expect(noted[1] < .seconds(3))
    }
}
