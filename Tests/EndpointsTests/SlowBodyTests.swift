import Endpoints
import HTTPTypes
import Hummingbird
import Locks
import Logging
import NIOCore
import NIOEmbedded
import Server
import TestSupport
import Testing

/// A request with a slow body is authenticated a second time.
@Suite(.hangLimit) struct SlowBodyTests {
    private final class Credential: Sendable {
        let isRevoked = Locked(false)
        let checks = Locked<[Bool]>([])
    }

    /// Sends a request, and revokes its credential while the body is read if requested.
    private func answer(
        _ settings: EndpointSettings,
        revokingAtBody isRevoking: Bool,
        _ credential: Credential = Credential()
    ) async throws -> Int {
        let security = EndpointSecurity<SampleCaller>(
            authenticate: { _, _, isRepeated in
                credential.checks.withLock { $0.append(isRepeated) }
                guard !credential.isRevoked.withLock({ $0 }) else { throw Problem.invalidCredential }
                return SampleCaller(permissions: ["keys:write"])
            },
            authorize: SampleTable.security.authorize,
            onBehalf: nil
        )
        let pieces = Locked([ByteBuffer(string: #"{"name":"#), ByteBuffer(string: #""late"}"#)])
        let body = AsyncStream<ByteBuffer>(unfolding: {
            if isRevoking { credential.isRevoked.withLock { $0 = true } }
            return pieces.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        })
        let router = Router(context: MortiseRequestContext.self)
        SampleTable.make(settings, security: security).register(on: router)
        let head = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/v1/workspaces/w/keys")
        let source = ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: Logger(label: "test"))
        let response = try await router.buildResponder()
            .respond(
                to: Request(head: head, body: RequestBody(asyncSequence: body)),
                context: MortiseRequestContext(source: source)
            )
        return Int(response.status.code)
    }

    // The attack: the holder of a leaked key opens a request, waits until the key is revoked, and then sends the body.
    @Test func `a credential is checked again after a slow body`() async throws {
        let strict = EndpointSettings(credentialAge: .zero)
        #expect(try await answer(strict, revokingAtBody: true) == 401)
        #expect(try await answer(strict, revokingAtBody: false) == 201)
        // A fast body causes no second check.
        let patient = EndpointSettings(credentialAge: .seconds(3600))
        #expect(try await answer(patient, revokingAtBody: true) == 201)
    }

    // Otherwise a key with a limit of one use could never send a large body over a slow connection.
    @Test func `the second check does not count as a use`() async throws {
        let credential = Credential()
        #expect(try await answer(EndpointSettings(credentialAge: .zero), revokingAtBody: false, credential) == 201)
        #expect(credential.checks.withLock { $0 } == [false, true])
    }

    @Test func `the body deadline includes the wait for the first part of the body`() async throws {
        #expect(try await answer(EndpointSettings(bodyDeadline: .zero), revokingAtBody: false) == 408)
    }
}
