import AsyncHTTPClient
import Endpoints
import NIOCore
import NIOHTTP1
import Traces
import Tracing

/// Reads the public keys of session issuers over HTTP.
///
/// The client follows no redirects, because the operator named the URL. An answer that is late or too large is an error.
/// Requests carry the trace of the request that caused them.
struct KeySetClient: Sendable {
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
        configuration.tracing.tracer = tracer
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Returns the body of a URL.
    ///
    /// - Throws: An error of the connection, the status of an answer other than 200, or `Late`.
    func fetch(_ url: String) async throws -> [UInt8] {
        do {
            return try await withDeadline(deadline, clock: ContinuousClock()) { try await exchange(url) }
        } catch let problem as Problem where problem.kind == .deadlineExceeded {
            throw Late(deadline: deadline)
        }
    }

    private func exchange(_ url: String) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/json")
        // With a tracer, the client adds the fields by itself.
        if client.tracer == nil, let trace = TraceContext.current {
            request.headers.add(name: TraceContext.Header.traceParent, value: trace.traceParent)
            if let state = trace.state { request.headers.add(name: TraceContext.Header.traceState, value: state) }
        }
        let response = try await client.execute(request, timeout: TimeAmount(deadline))
        guard response.status == .ok else { throw NotOK(status: response.status.code) }
        let body = try await response.body.collect(upTo: Self.maximumBytes)
        return Array(buffer: body)
    }

    /// Closes the connections.
    func shutdown() async {
        try? await client.shutdown()
    }

    private struct Late: Error, CustomStringConvertible {
        let deadline: Duration
        var description: String { "the answer was not complete within \(deadline)" }
    }

    private struct NotOK: Error, CustomStringConvertible {
        let status: UInt
        var description: String { "the answer has status \(status)" }
    }
}
