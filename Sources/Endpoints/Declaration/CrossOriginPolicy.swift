package import HTTPTypes
import Hummingbird

/// The cross-origin requests that a browser permits to a surface (the Fetch standard, section 3.3).
///
/// All origins are permitted. This is safe, because a page must know a credential to send it in `Authorization`. A surface reads no
/// cookies, which a browser would add by itself.
package struct CrossOriginPolicy: Sendable {
    private let methods: String
    private let headers: String
    private let exposed: String

    /// Creates a policy that permits methods and request headers, and shows these headers of answers to pages.
    package init(
        methods: [HTTPRequest.Method],
        headers: [HTTPField.Name],
        exposed: [HTTPField.Name] = [.xRequestID, .retryAfter]
    ) {
        self.methods = methods.map(\.rawValue).joined(separator: ", ")
        self.headers = headers.map { $0.rawName.lowercased() }.joined(separator: ", ")
        self.exposed = exposed.map { $0.rawName.lowercased() }.joined(separator: ", ")
    }

    /// Returns true if the request is a CORS preflight request.
    func isPreflight(_ request: Request) -> Bool {
        request.method == .options && request.headers[.accessControlRequestMethod] != nil
    }

    /// Returns the answer to a preflight request, valid for one hour.
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

    /// Adds the fields that let a page of the origin read the answer.
    func allow(_ origin: String, _ fields: inout HTTPFields) {
        fields[.accessControlAllowOrigin] = origin
        if !exposed.isEmpty { fields[.accessControlExposeHeaders] = exposed }
        fields.append(HTTPField(name: .vary, value: "Origin"))
    }
}
