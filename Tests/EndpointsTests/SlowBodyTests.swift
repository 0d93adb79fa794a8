import Endpoints
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Server
import Synchronization
import TestSupport
import Testing

/// A request whose body arrives late is authenticated a second time.
@Suite(.hangLimit) struct SlowBodyTests {
    private final class Credential: Sendable {
        let isRevoked = Mutex(false)
        let looks = Mutex<[Bool]>([])
    }

    /// Sends a request for a key, whose credential is revoked when the body is read.
    private func answer(
        _ settings: EndpointSettings,
        revokingAtBody isRevoking: Bool,
        _ credential: Credential = Credential()
    ) async throws -> Int {
        let security = EndpointSecurity<SampleCaller>(
            authenticate: { _, _, isAgain in
                credential.looks.withLock { $0.append(isAgain) }
                guard !credential.isRevoked.withLock({ $0 }) else { throw Problem.invalidCredential }
                return SampleCaller(permissions: ["keys:write"])
            },
            authorize: SampleTable.security.authorize
        )
        let pieces = Mutex([ByteBuffer(string: #"{"name":"#), ByteBuffer(string: #""late"}"#)])
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

    // The attack: the holder of a leaked key opens a request, waits until the key is revoked, and only then sends the body.
    @Test func `a credential is checked again when a slow body has arrived`() async throws {
        let strict = EndpointSettings(credentialAge: .zero)
        #expect(try await answer(strict, revokingAtBody: true) == 401)
        #expect(try await answer(strict, revokingAtBody: false) == 201)
        // What is in time costs no second look.
        let patient = EndpointSettings(credentialAge: .seconds(3600))
        #expect(try await answer(patient, revokingAtBody: true) == 201)
    }

    // Or a key with a limit of one could never send a large body over a slow line.
    @Test func `the second check does not count as a use`() async throws {
        let credential = Credential()
        #expect(try await answer(EndpointSettings(credentialAge: .zero), revokingAtBody: false, credential) == 201)
        #expect(credential.looks.withLock { $0 } == [false, true])
    }

    @Test func `the wait for the first piece counts`() async throws {
        #expect(try await answer(EndpointSettings(bodyDeadline: .zero), revokingAtBody: false) == 408)
    }
}
