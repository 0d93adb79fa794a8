package import Logging
package import Tracing

/// A tracer that writes each span as one log line when the span ends.
///
/// A line has `operation`, `kind`, `duration_us`, `trace_id`, `span_id`, `parent_span_id`, `status` and the attributes. A new
/// trace is sampled. A trace that a caller began is sampled if the caller says so.
package struct LogTracer: Tracer {
    private let logger: Logger

    /// Creates a tracer that writes to a logger, at level `info`.
    package init(_ logger: Logger) {
        self.logger = logger
    }

    /// Starts a span, a child of the context's span if there is one.
    package func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> LogSpan {
        var context = context()
        let trace = context.traceContext?.child ?? TraceContext.root(isSampled: true)
        context.traceContext = trace
        return LogSpan(
            operationName,
            kind: kind,
            context: context,
            trace: trace,
            start: instant().nanosecondsSinceEpoch,
            logger: logger
        )
    }

    /// Does nothing, because no span waits to be written.
    package func forceFlush() {}

    /// Reads the caller's context from `traceparent` and `tracestate`.
    package func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let parent = extractor.extract(key: TraceContext.Header.traceParent, from: carrier) else { return }
        let state = extractor.extract(key: TraceContext.Header.traceState, from: carrier)
        context.traceContext = TraceContext(traceParent: parent, traceState: state)
    }

    /// Writes the current context to `traceparent` and `tracestate`.
    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context.traceContext else { return }
        injector.inject(trace.traceParent, forKey: TraceContext.Header.traceParent, into: &carrier)
        guard let state = trace.state else { return }
        injector.inject(state, forKey: TraceContext.Header.traceState, into: &carrier)
    }
}
