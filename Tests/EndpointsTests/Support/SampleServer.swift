import AsyncHTTPClient
import Connections
import Endpoints
import HTTPTypes
import Hummingbird
import JSON
import Keys
import Logging
import NIOCore
import NIOHTTP1
import Server
import ServerTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing
import Tracing

/// An answer of the sample service.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let text: String

    init(_ response: HTTPClientResponse) async throws {
        status = Int(response.status.code)
        var fields = HTTPFields()
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        headers = fields
        text = String(buffer: try await response.body.collect(upTo: 1 << 20))
    }

    var json: JSONValue? { try? JSONValue(parsing: text.utf8, limits: JSONLimits(maximumBytes: 1 << 20)) }
}

/// The sample service behind a real socket.
struct SampleClient {
    let client: HTTPClient
    let address: SocketAddress

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil,
        as caller: String? = "writer",
        _ headers: HTTPFields = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(address.port ?? 0)\(path)")
        request.method = HTTPMethod(rawValue: method.rawValue)
        for field in headers { request.headers.add(name: field.name.rawName, value: field.value) }
        if let caller { request.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(caller)") }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        return try await waiting(for: "an answer to \(method) \(path)") { [request] in
            try await Answer(client.execute(request, timeout: .hours(1)))
        }
    }
}

/// Runs the sample service on its own socket, and passes a client to the test.
func withSampleServer(
    _ settings: EndpointSettings = EndpointSettings(),
    log: LineCollector = LineCollector(),
    tracer: (any Tracer)? = nil,
    security: EndpointSecurity<SampleCaller> = SampleTable.security,
    adding more: [Endpoint<SampleCaller>] = [],
    _ test: @Sendable (SampleClient) async throws -> Void
) async throws {
    var settings = settings
    settings.translate = { $0 is SampleConflict ? .conflict("The name is taken.") : nil }
    let table = SampleTable.make(settings, security: security).adding(more)
    let registry = PrometheusRegistry()
    let operations = OperationsEndpoints(readiness: Readiness { [] }, metrics: registry)
    let router = Router(context: MortiseRequestContext.self)
    let front = FrontMiddleware(
        mounts: [table.mount(at: "/v1")] + operations.mounts,
        firstSteps: table.firstSteps,
        redact: Redaction.redact,
        tracer: tracer
    )
    router.add(middleware: front)
    table.register(on: router)
    operations.register(on: router)
    // The handler redacts nothing, so that a test sees an endpoint that does not redact.
    let output = JSONLogHandler.Output(sink: log, format: .json, redact: { $0 }, now: { 0 })
    let logger = Telemetry(output: output, level: .info).logger(label: "test")
    let threads = try ServingThreads(count: 1)
    let (addresses, continuation) = AsyncStream.makeStream(of: SocketAddress.self)
    let listener = HTTPListener(
        .tcp(host: "127.0.0.1", port: 0),
        threads: threads,
        limits: ConnectionLimits(),
        connections: OpenConnections(limit: 16, registry),
        responder: router.buildResponder(),
        front: front,
        logger: logger,
        onListening: { continuation.yield($0) }
    )
    let running = Task {
        defer { continuation.finish() }
        try await listener.run()
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton)
    func stop() async {
        running.cancel()
        try? await client.shutdown()
        _ = await waiting(for: "the server stops") { await running.result }
        await threads.shutdown()
    }
    do {
        let address = await waiting(for: "the server listens") { await addresses.first { _ in true } }
        try await test(SampleClient(client: client, address: try #require(address)))
        await stop()
    } catch {
        await stop()
        throw error
    }
}
