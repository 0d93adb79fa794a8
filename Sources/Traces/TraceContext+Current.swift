package import Logging
package import Tracing

extension TraceContext {
    /// The context of the request that the task works for, where no tracer keeps one in `ServiceContext`.
    @TaskLocal package static var request: TraceContext?

    /// The context of the innermost span of the task.
    ///
    /// `nil` outside of requests.
    package static var current: TraceContext? { ServiceContext.current?.traceContext ?? request }

    /// Adds `trace_id` and `span_id` to the lines that a request's task logs.
    package static let metadataProvider = Logger.MetadataProvider {
        guard let context = TraceContext.current else { return [:] }
        return [
            "trace_id": .stringConvertible(context.traceID),
            "span_id": .stringConvertible(context.spanID),
        ]
    }
}

extension ServiceContext {
    private enum TraceContextKey: ServiceContextKey {
        typealias Value = TraceContext
        static let nameOverride: String? = "mortise.trace"
    }

    /// The context of the current span, as ``LogTracer`` keeps it.
    package var traceContext: TraceContext? {
        get { self[TraceContextKey.self] }
        set { self[TraceContextKey.self] = newValue }
    }
}
