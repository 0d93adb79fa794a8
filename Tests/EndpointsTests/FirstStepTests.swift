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

/// Operations that can answer without a wait.
@Suite(.hangLimit) struct FirstStepTests {
    /// Notes what surrounds the parts of a request that may wait.
    private final class Notes: Sendable {
        let texts = Locked<[String]>([])

        func add(_ text: String) { texts.withLock { $0.append(text) } }
    }

    private static func endpoint(_ path: String, _ step: @escaping Endpoint<SampleCaller>.FirstStep) -> Endpoint<
        SampleCaller
    > {
        Endpoint(
            .get,
            path,
            id: String(path.dropFirst()),
            tag: "Keys",
            summary: "Take a step.",
            access: .any("keys:read"),
            responses: [EndpointResult(.ok, "The key.", SampleTable.keySchema)],
            deadline: nil,
            waits: .only(.seconds(60)),
            firstStep: step
        )
    }

    /// Sends a request, and returns the status of the answer and what surrounded its parts.
    ///
    /// `known` is the caller, if the credential can be judged without a wait.
    private func send(_ path: String, from known: SampleCaller? = nil) async throws -> (status: Int, notes: [String]) {
        let notes = Notes()
        let security = EndpointSecurity<SampleCaller>(
            authenticate: SampleTable.security.authenticate,
            atOnce: { _, _, _ in known },
            authorize: SampleTable.security.authorize,
            onBehalf: { _, handler in
                notes.add("turn")
                return try await handler()
            }
        )
        var settings = EndpointSettings()
        settings.limitWaits = { _, body in
            notes.add("limit")
            try await body()
        }
        let router = Router(context: MortiseRequestContext.self)
        EndpointTable(
            [
                Self.endpoint("/once") { _ in .answer(.text("once")) },
                Self.endpoint("/later") { _ in .wait { .text("later") } },
                Self.endpoint("/refused") { _ in throw Problem.invalidCredential },
            ],
            security: security,
            settings: settings
        )
        .register(on: router)
        let head = HTTPRequest(
            method: .get,
            scheme: "http",
            authority: "localhost",
            path: path,
            headerFields: [.authorization: "Bearer reader"]
        )
        let source = ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: Logger(label: "test"))
        let response = try await router.buildResponder()
            .respond(
                to: Request(head: head, body: RequestBody(buffer: ByteBuffer())),
                context: MortiseRequestContext(source: source)
            )
        return (Int(response.status.code), notes.texts.withLock { $0 })
    }

    // The first limit is that of the authentication.
    @Test func `an operation that answers at once takes no turn and needs no limit of its waits`() async throws {
        let once = try await send("/once")
        #expect(once.status == 200 && once.notes == ["limit"])
        let refused = try await send("/refused")
        #expect(refused.status == 401 && refused.notes == ["limit"])
    }

    @Test func `the rest of an operation waits within the limit, and on behalf of its caller`() async throws {
        let later = try await send("/later")
        #expect(later.status == 200 && later.notes == ["limit", "limit", "turn"])
    }
    @Test func `a credential that is judged at once needs no limit of waits, and is authorized as any other`()
        async throws
    {
        let reader = try await send("/once", from: SampleCaller(permissions: ["keys:read"]))
        #expect(reader.status == 200 && reader.notes.isEmpty)
        let stranger = try await send("/once", from: SampleCaller(permissions: []))
        #expect(stranger.status == 403 && stranger.notes.isEmpty)
        let later = try await send("/later", from: SampleCaller(permissions: ["keys:read"]))
        #expect(later.status == 200 && later.notes == ["limit", "turn"])
    }
}
