import Tracing

/// The spans of a client of one database, as OpenTelemetry's semantic conventions for databases define them.
///
/// An instance exists only where a tracer is installed. Without a tracer, a statement costs one comparison with `nil`.
///
/// Spans never hold SQL, parameters or rows. An error adds its code, its SQLSTATE and the sentence that is safe to print.
final class ClientSpans: Sendable {
    private let tracer: any Tracer
    private let namespace: String
    private let attributes: SpanAttributes

    /// Creates the spans of a client, if a tracer is installed now.
    init?(_ configuration: PostgresConfiguration) {
        let tracer = InstrumentationSystem.tracer
        if tracer is NoOpTracer { return nil }
        self.tracer = tracer
        namespace = configuration.database ?? configuration.user ?? "postgresql"
        var attributes = SpanAttributes()
        attributes["db.system.name"] = "postgresql"
        attributes["db.namespace"] = namespace
        if let host = configuration.parameters["host"] ?? configuration.parameters["hostaddr"] {
            attributes["server.address"] = host
        }
        // The conventions leave the default port out.
        if let port = configuration.parameters["port"].flatMap(Int.init), port != 5432 {
            attributes["server.port"] = port
        }
        self.attributes = attributes
    }

    /// Records a statement.
    func statement<Value>(
        _ statement: Statement,
        _ body: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await operation(statement.operation, name: statement.name, body)
    }

    /// Records an operation.
    ///
    /// - Parameters:
    ///   - operation: The name of the operation, such as `SELECT` or `COPY`.
    ///   - name: The name of the statement. Without one, the span is named after the operation and the database.
    ///   - body: The operation.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`.
    func operation<Value, Failure: Error>(
        _ operation: String,
        name: String? = nil,
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let span = start(name ?? "\(operation) \(namespace)", ofKind: .client)
        span.attributes["db.operation.name"] = operation
        if let name { span.attributes["db.query.summary"] = name }
        return try await end(span, body)
    }

    /// Records a transaction, whose statements become children of its span.
    func transaction<Value>(_ body: () async throws -> Value) async throws -> Value {
        let span = start("transaction \(namespace)", ofKind: .internal)
        return try await end(span) {
            try await InstrumentationContext.withValue(span.context) { try await body() }
        }
    }

    /// Records the time in which a caller waits for a connection of a pool, or opens one.
    func wait<Value>(
        _ body: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let span = start("acquire connection \(namespace)", ofKind: .internal)
        span.attributes["db.client.connection.pool.name"] = namespace
        return try await end(span, body)
    }

    private func start(_ name: String, ofKind kind: SpanKind) -> any Span {
        let span = tracer.startSpan(name, ofKind: kind)
        span.updateAttributes { $0.merge(attributes) }
        return span
    }

    private func end<Value, Failure: Error>(
        _ span: any Span,
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        defer { span.end() }
        do throws(Failure) {
            return try await body()
        } catch {
            note(error, in: span)
            throw error
        }
    }

    /// Notes an error.
    ///
    /// An error of another module is noted by its type alone, because its text can hold anything.
    private func note(_ error: any Error, in span: any Span) {
        guard let error = error as? PostgresError else {
            span.attributes["error.type"] = "\(type(of: error))"
            span.setStatus(SpanStatus(code: .error))
            return
        }
        span.attributes["error.type"] = error.sqlState?.rawValue ?? error.code.description
        if let state = error.sqlState { span.attributes["db.response.status_code"] = state.rawValue }
        span.setStatus(SpanStatus(code: .error, message: error.message))
    }
}
