import HTTPTypes
import Traces
import Tracing

/// The header fields that the outermost layer needs, found in one walk.
///
/// A look-up by name would make `HTTPFields` build an index first.
struct RequestHead {
    /// The id that the client chose for the request, if it is acceptable.
    private(set) var requestID: String?

    /// The origin of the page that sent the request.
    private(set) var origin: String?

    /// The caller's position in a trace, unread.
    private(set) var traceParent: String?

    /// The data of tracing systems, unread.
    private(set) var traceState: String?

    /// True if there is a `Host` beside the one that became the authority.
    private(set) var hasSecondHost = false

    init(_ fields: HTTPFields, redact: (String) -> String) {
        var parents = 0
        for field in fields {
            // The length tells most names apart without a comparison of texts.
            switch field.name.canonicalName.utf8.count {
            case 4 where field.name == .host: hasSecondHost = true
            case 6 where field.name == .origin: origin = field.value
            case 10 where field.name == .traceState:
                // RFC 9110 section 5.3: several fields of one name are one list. The bound keeps many fields from being copied often.
                guard let earlier = traceState else { traceState = field.value; break }
                if earlier.utf8.count <= TraceContext.maximumStateLength { traceState = "\(earlier),\(field.value)" }
            case 11 where field.name == .traceParent:
                traceParent = field.value
                parents += 1
            case 12 where requestID == nil && field.name == .xRequestID:
                if RequestID.isAcceptable(field.value), redact(field.value) == field.value { requestID = field.value }
            default: break
            }
        }
        // Of two callers neither is the caller.
        if parents > 1 { traceParent = nil }
    }
}

/// Reads header fields for a tracer.
struct HeaderExtractor: Extractor {
    func extract(key: String, from carrier: HTTPFields) -> String? {
        HTTPField.Name(key).flatMap { carrier[$0] }
    }
}
