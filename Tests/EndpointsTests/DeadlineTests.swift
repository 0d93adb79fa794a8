import Endpoints
import HTTPTypes
import JSON
import Server
import TestSupport
import Testing

@Suite(.hangLimit) struct DeadlineTests {
    @Test func `an operation that exceeds its deadline is cancelled and answered with 503`() async throws {
        try await withSampleServer(EndpointSettings(clock: ImpatientClock())) { client async throws in
            let answer = try await client.send(.post, "/v1/waits")
            #expect(answer.status == 503)
            #expect(answer.json?["code"] == "deadline_exceeded")
            #expect(answer.headers[.retryAfter] == "1")
        }
    }

    // The change is complete when the deadline passes. A 503 would make the client repeat it.
    @Test func `an operation that succeeds after its deadline is answered with its result`() async throws {
        try await withSampleServer(EndpointSettings(clock: ImpatientClock())) { client async throws in
            let answer = try await client.send(.post, "/v1/waitsOutDeadline")
            #expect(answer.status == 200)
            #expect(answer.text == "done")
        }
    }

    @Test func `an operation that ends in time does not wait for its deadline`() async throws {
        try await withSampleServer(EndpointSettings(clock: StandingClock())) { client async throws in
            #expect(try await client.send(.get, "/v1/workspaces/w/keys").status == 200)
            #expect(try await client.send(.post, "/v1/conflicts").status == 409)
        }
    }
}
