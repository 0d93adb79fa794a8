import HTTPTypes
import Hummingbird
import Tracing

/// The attributes of server spans, by OpenTelemetry's semantic conventions for HTTP.
///
/// `url.path`, `url.query` and header fields are left out, because a client can put a token into them.
extension Tracing.Span {
    /// Names the span after an operation.
    func name(operation: String, route: String) {
        operationName = operation
        updateAttributes { $0["http.route"] = route }
    }

    /// Ends the span of a request.
    func finish(_ request: Request, _ response: Response) {
        let status = response.status.code
        updateAttributes { attributes in
            attributes["http.request.method"] = Self.method(request.method)
            attributes["url.scheme"] = request.head.scheme ?? "http"
            attributes["http.response.status_code"] = Int64(status)
            if status >= 500 { attributes["error.type"] = "\(status)" }
        }
        // The conventions leave the status unset for a 4xx, which is the client's error.
        if status >= 500 { setStatus(SpanStatus(code: .error)) }
        end()
    }

    /// The conventions write `_OTHER` for a method that they do not list, which bounds the number of values.
    private static func method(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .patch, .delete, .options, .trace, .connect: method.rawValue
        default: "_OTHER"
        }
    }
}
