import AsyncHTTPClient
import Endpoints
import NIOCore
import NIOHTTP1
import Service
import Traces
import Tracing

/// Sends requests to session issuers and to the identity provider over HTTP.
///
/// The client follows no redirects, because the operator named the URLs. An answer that is late or too large is an error.
/// Requests carry the trace of the request that caused them.
struct OutboundClient: Sendable {
    /// The maximum time of a whole exchange, from the connection to the last byte of the body.
    private let deadline: Duration
    private static let maximumBytes = 262_144

    private let client: HTTPClient

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - tracer: Records a span for each request. `nil` records none.
    ///   - deadline: The maximum time of a whole exchange.
    init(tracer: (any Tracer)?, deadline: Duration) {
        self.deadline = deadline
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: TimeAmount(deadline))
        // A server that refuses connections is asked again by the next request, and this one does not wait for it.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tracing.tracer = tracer
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends a request.
    ///
    /// - Returns: The answer, whatever its status is.
    /// - Throws: An error of the connection, or `Late`.
    func send(_ request: OutboundRequest) async throws -> OutboundAnswer {
        do {
            return try await withDeadline(deadline, clock: ContinuousClock()) { try await exchange(request) }
        } catch let problem as Problem where problem.kind == .deadlineExceeded {
            throw Late(deadline: deadline)
        }
    }

    private func exchange(_ outbound: OutboundRequest) async throws -> OutboundAnswer {
        // The client traps on such a port. A database or a provider can hold a URL that no rule has seen.
        guard outbound.hasPort else { throw URLError() }
        var request = HTTPClientRequest(url: outbound.url)
        request.headers.add(name: "Accept", value: "application/json")
        if let authorization = outbound.authorization {
            request.headers.add(name: "Authorization", value: authorization)
        }
        if let form = outbound.form {
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: FormText.encode(form)))
        }
        // With a tracer, the client adds the fields by itself.
        if client.tracer == nil, let trace = TraceContext.current {
            request.headers.add(name: TraceContext.Header.traceParent, value: trace.traceParent)
            if let state = trace.state { request.headers.add(name: TraceContext.Header.traceState, value: state) }
        }
        let response = try await client.execute(request, timeout: TimeAmount(deadline))
        let body = try await response.body.collect(upTo: Self.maximumBytes)
        return OutboundAnswer(status: response.status.code, body: Array(buffer: body))
    }

    /// Closes the connections.
    func shutdown() async {
        try? await client.shutdown()
    }

    private struct URLError: Error, CustomStringConvertible {
        var description: String { "the URL has a port that does not exist" }
    }

    private struct Late: Error, CustomStringConvertible {
        let deadline: Duration
        var description: String { "the answer was not complete within \(deadline)" }
    }
}
