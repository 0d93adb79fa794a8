/// The position of a piece of work in a trace (W3C Trace Context, level 1).
///
/// A context is a value of a few words. Its ids become text only when a log line or a header needs them.
package struct TraceContext: Sendable, Equatable {
    /// The names of the header fields, in lower case.
    package enum Header {
        /// Version, trace id, id of the caller's span, and flags.
        package static let traceParent = "traceparent"
        /// The data of the tracing systems that the request has passed, which is passed on unread.
        package static let traceState = "tracestate"
    }

    /// The trace.
    package let traceID: TraceID

    /// The span that the work belongs to.
    package let spanID: SpanID

    /// The span that caused this span.
    ///
    /// `nil` at the root of a trace.
    package let parentSpanID: SpanID?

    /// True if the caller, or the root of the trace, records the trace.
    package let isSampled: Bool

    /// The value of `tracestate`, unread.
    package let state: String?

    init(traceID: TraceID, spanID: SpanID, parentSpanID: SpanID?, isSampled: Bool, state: String?) {
        self.traceID = traceID
        self.spanID = spanID
        self.parentSpanID = parentSpanID
        self.isSampled = isSampled
        self.state = state
    }

    /// Returns the root of a new trace.
    package static func root(isSampled: Bool) -> TraceContext {
        TraceContext(traceID: .make(), spanID: .make(), parentSpanID: nil, isSampled: isSampled, state: nil)
    }

    /// Returns the context of a request that arrived with these header fields.
    ///
    /// The request continues the trace that `traceParent` names. Without a valid `traceParent` it begins a new trace,
    /// which is not sampled. An invalid `tracestate` is dropped, and the trace is continued without it.
    package static func ofRequest(traceParent: String?, traceState: String?) -> TraceContext {
        guard let traceParent, let caller = TraceContext(traceParent: traceParent, traceState: traceState) else {
            return root(isSampled: false)
        }
        return caller.child
    }

    /// The context of a new span that this span causes.
    package var child: TraceContext {
        TraceContext(traceID: traceID, spanID: .make(), parentSpanID: spanID, isSampled: isSampled, state: state)
    }
}
