package import HTTPTypes
import Hummingbird

/// What a browser lets pages of other origins do with a surface (the Fetch standard, section 3.3).
///
/// Every origin is welcome. That gives nothing away, since credentials travel in `Authorization`, which a page must know to send, and
/// never in cookies, which a browser would add by itself.
package struct CrossOriginPolicy: Sendable {
    private let methods: String
    private let headers: String
    private let exposed: String

    /// Allows methods and request headers, and lets pages read these headers of answers.
    package init(
        methods: [HTTPRequest.Method],
        headers: [HTTPField.Name],
        exposed: [HTTPField.Name] = [.xRequestID, .retryAfter]
    ) {
        self.methods = methods.map(\.rawValue).joined(separator: ", ")
        self.headers = headers.map { $0.rawName.lowercased() }.joined(separator: ", ")
        self.exposed = exposed.map { $0.rawName.lowercased() }.joined(separator: ", ")
    }

    /// Whether a browser asks if it may send another request.
    func isPreflight(_ request: Request) -> Bool {
        request.method == .options && request.headers[.accessControlRequestMethod] != nil
    }

    /// The answer to such a question, good for an hour.
    func preflight() -> Response {
        var response = Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods, .accessControlAllowHeaders: headers,
                .accessControlMaxAge: "3600",
            ]
        )
        // RFC 9110 section 8.6 forbids Content-Length with 204; Hummingbird would add it to an empty body.
        response.headers[.contentLength] = nil
        return response
    }

    /// Lets a page of the origin read the answer.
    func allow(_ origin: String, _ fields: inout HTTPFields) {
        fields[.accessControlAllowOrigin] = origin
        if !exposed.isEmpty { fields[.accessControlExposeHeaders] = exposed }
        fields.append(HTTPField(name: .vary, value: "Origin"))
    }
}
