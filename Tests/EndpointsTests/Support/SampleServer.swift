import Endpoints
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JSON
import Keys
import Logging
import NIOCore
import Server
import ServerTestSupport
import Synchronization
import Telemetry
import Testing
import Tracing

/// An answer of the sample service.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let text: String

    init(_ response: TestResponse) {
        status = response.status.code
        headers = response.headers
        text = String(buffer: response.body)
    }

    var json: JSONValue? { try? JSONValue(parsing: text.utf8, limits: JSONLimits(maximumBytes: 1 << 20)) }
}

/// The sample service behind a real socket.
struct SampleClient {
    let client: any TestClientProtocol

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil,
        as caller: String? = "writer",
        _ headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let caller { headers[.authorization] = "Bearer \(caller)" }
        let response = try await client.executeRequest(
            uri: path,
            method: method,
            headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        )
        return Answer(response)
    }
}

/// Runs the sample service on its own socket, and passes a client to the test.
func withSampleServer(
    _ settings: EndpointSettings = EndpointSettings(),
    log: LineCollector = LineCollector(),
    tracer: (any Tracer)? = nil,
    _ test: @Sendable (SampleClient) async throws -> Void
) async throws {
    var settings = settings
    settings.translate = { $0 is SampleConflict ? .conflict("The name is taken.") : nil }
    let table = SampleTable.make(settings)
    let registry = PrometheusRegistry()
    let operations = OperationsEndpoints(readiness: Readiness { [] }, metrics: registry)
    let router = Router(context: MortiseRequestContext.self)
    router.add(
        middleware: FrontMiddleware(
            mounts: [table.mount(at: "/v1")] + operations.mounts,
            redact: Redaction.redact,
            tracer: tracer
        )
    )
    table.register(on: router)
    operations.register(on: router)
    // The handler redacts nothing, so that a test sees an endpoint that does not redact.
    let output = JSONLogHandler.Output(sink: log, format: .json, redact: { $0 }, now: { 0 })
    let logger = Telemetry(output: output, level: .info).logger(label: "test")
    let application = Application(router: router, logger: logger)
    try await application.test(.live) { try await test(SampleClient(client: $0)) }
}
