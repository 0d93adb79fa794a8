import Locks
import Logging
package import Tracing

/// A span of ``LogTracer``.
package final class LogSpan: Tracing.Span {
    private struct State {
        var operationName: String
        var attributes: SpanAttributes = [:]
        var status: SpanStatus?
        var error: String?
        var hasEnded = false
    }

    /// The context of the work inside the span.
    package let context: ServiceContext

    private let state: Locked<State>
    private let kind: SpanKind
    private let trace: TraceContext
    private let start: UInt64
    private let logger: Logger

    init(
        _ operationName: String,
        kind: SpanKind,
        context: ServiceContext,
        trace: TraceContext,
        start: UInt64,
        logger: Logger
    ) {
        state = Locked(State(operationName: operationName))
        self.kind = kind
        self.context = context
        self.trace = trace
        self.start = start
        self.logger = logger
    }

    /// True if the span will be written.
    package var isRecording: Bool { trace.isSampled }

    /// The operation that the span stands for.
    package var operationName: String {
        get { state.withLock { $0.operationName } }
        set { state.withLock { $0.operationName = newValue } }
    }

    /// The attributes.
    ///
    /// Each becomes a member of the line.
    package var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    /// Sets the outcome of the operation.
    package func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }

    /// Keeps the type of an error.
    ///
    /// Its text is not kept, because it can hold a caller's data.
    package func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0.error = String(describing: type(of: error)) }
    }

    /// Does nothing.
    ///
    /// A line has no events.
    package func addEvent(_ event: SpanEvent) {}

    /// Does nothing.
    ///
    /// A line has no links.
    package func addLink(_ link: SpanLink) {}

    /// Ends the span and writes its line.
    ///
    /// A second call does nothing.
    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let ended = state.withLock { state -> State? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            return state
        }
        guard let ended, isRecording else { return }
        let now = instant().nanosecondsSinceEpoch
        var metadata: Logger.Metadata = [
            "operation": .string(ended.operationName),
            "kind": .string("\(kind)"),
            "duration_us": .stringConvertible(Int64(now > start ? (now - start) / 1000 : 0)),
            "trace_id": .stringConvertible(trace.traceID),
            "span_id": .stringConvertible(trace.spanID),
        ]
        if let parent = trace.parentSpanID { metadata["parent_span_id"] = .stringConvertible(parent) }
        if let status = ended.status { metadata["status"] = .string("\(status.code)") }
        // `SpanAttributes` is no sequence.
        // swift-format-ignore: ReplaceForEachWithForLoop
        ended.attributes.forEach { name, value in metadata[name] = Self.metadata(value) }
        if let error = ended.error { metadata["error.type"] = .string(error) }
        logger.info("span", metadata: metadata)
    }

    private static func metadata(_ attribute: SpanAttribute) -> Logger.Metadata.Value {
        switch attribute {
        case .int32(let value): .stringConvertible(Int64(value))
        case .int64(let value): .stringConvertible(value)
        case .bool(let value): .stringConvertible(value)
        case .double(let value): .stringConvertible(value)
        case .string(let value): .string(value)
        case .stringConvertible(let value): .string(value.description)
        case .stringArray(let values): .array(values.map { .string($0) })
        default: .string("\(attribute)")
        }
    }
}
