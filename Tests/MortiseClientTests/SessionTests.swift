import HTTPTestSupport
import Locks
import MortiseClient
import TestSupport
import Testing

/// A member's session is renewed, and never twice with one refresh token.
@Suite(.hangLimit) struct SessionTests {
    /// Responds like a server whose refresh tokens work once.
    private final class Issuer: Sendable {
        private let generation = Locked(0)
        private let lifetime: Int

        init(lifetime: Int = 900) {
            self.lifetime = lifetime
        }

        func answer(_ request: SeenRequest) -> Reply {
            generation.withLock { generation in
                switch request.uri {
                case "/v1/sessions":
                    generation = 1
                    return tokens(1)
                case "/v1/sessions/refresh":
                    guard request.body == #"{"refresh_token":"refresh\#(generation)"}"# else { return refused }
                    generation += 1
                    return tokens(generation)
                default:
                    // The first access token has expired.
                    guard generation > 1, request.header("authorization") == ["Bearer access\(generation)"] else {
                        return refused
                    }
                    return .json(Sample.key)
                }
            }
        }

        private func tokens(_ number: Int) -> Reply {
            .json(#"{"access_token":"access\#(number)","refresh_token":"refresh\#(number)","expires_in":\#(lifetime)}"#)
        }

        private let refused = Reply.answer(401, #"{"detail":"No."}"#, type: "application/problem+json")
    }

    // Failure: calls that fail together each use the refresh token, and the server ends the session.
    @Test func `calls that are refused together renew the session once`() async throws {
        let issuer = Issuer()
        try await Mortise.with({ issuer.answer($0) }) { client, server, _ async throws in
            let ada = try await client.signIn(email: "ada@example.com", password: SecretToken("pass word"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await ada.keys(.operator).disable("k") } }
                try await group.waitForAll()
            }
            #expect(server.requests.count { $0.uri == "/v1/sessions/refresh" } == 1)
            let signIn = server.requests.first { $0.uri == "/v1/sessions" }
            #expect(signIn?.body == #"{"email":"ada@example.com","password":"pass word"}"#)
            #expect(signIn?.header("authorization").isEmpty == true)
        }
    }

    @Test func `a cancelled call does not wait for the renewal`() async throws {
        let silent: @Sendable (SeenRequest) -> Reply = { request in
            switch request.uri {
            case "/v1/sessions": .json(#"{"access_token":"a","refresh_token":"r","expires_in":0}"#)
            default: .silence
            }
        }
        var options = ClientOptions.patient
        options.timeout = .seconds(3600)
        try await Mortise.with(silent, options: options) { client, server, _ async throws in
            let ada = try await client.signIn(email: "ada@example.com", password: SecretToken("pass word"))
            let call = Task { try await ada.keys(.operator).get("k") }
            _ = await server.nextRequest()
            let renewal = await server.nextRequest()
            #expect(renewal?.uri == "/v1/sessions/refresh")
            call.cancel()
            // The renewal itself has an hour.
            let error = await #expect(throws: MortiseError.self) { _ = try await call.value }
            #expect(error?.reason == .cancelled)
        }
    }

    @Test func `an access token is renewed before it ends`() async throws {
        let issuer = Issuer(lifetime: 1)
        try await Mortise.with({ issuer.answer($0) }) { client, server, _ async throws in
            let ada = try await client.signIn(email: "ada@example.com", password: SecretToken("p"))
            _ = try await ada.keys(.operator).get("k")
            #expect(server.requests.map(\.uri) == ["/v1/sessions", "/v1/sessions/refresh", "/v1/operator-keys/k"])
        }
    }

    @Test func `a call of an ended session is unauthenticated`() async throws {
        try await Mortise.with({ request in
            request.uri == "/v1/sessions"
                ? .json(#"{"access_token":"a","refresh_token":"r","expires_in":900}"#)
                : .answer(401, #"{"detail":"Gone."}"#, type: "application/problem+json")
        }) { client, server, _ async throws in
            let ada = try await client.signIn(email: "ada@example.com", password: SecretToken("p"))
            let error = try await #require(throws: MortiseError.self) { try await ada.keys(.operator).get("k") }
            #expect(error.reason == .unauthenticated)
            #expect(server.requests.count == 3)
        }
    }
}
