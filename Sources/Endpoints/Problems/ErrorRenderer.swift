package import HTTPTypes
package import Hummingbird
import JSON
package import NIOCore

/// Renders problems in the dialect of one surface.
package struct ErrorRenderer: Sendable {
    /// Returns the answer for a problem.
    ///
    /// `FrontMiddleware` adds `X-Request-Id`.
    package let render: @Sendable (_ problem: Problem, _ context: MortiseRequestContext) -> Response

    /// Creates a renderer.
    package init(_ render: @escaping @Sendable (Problem, MortiseRequestContext) -> Response) {
        self.render = render
    }

    /// Renders `application/problem+json` (RFC 9457) with `code`, `request_id` and, for invalid input, `errors`.
    ///
    /// Caches must not store the answer.
    package static let problemJSON = ErrorRenderer { problem, context in
        let (status, headers, body) = problem.rendered(requestID: context.requestID)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

extension Problem {
    /// Returns the status, header fields and body of an answer to a request that no route can see.
    ///
    /// The answer has the form of ``ErrorRenderer/problemJSON`` and an id of its own.
    package func standalone() -> (status: HTTPResponse.Status, headers: HTTPFields, body: ByteBuffer) {
        let requestID = RequestID.make()
        var answer = rendered(requestID: requestID)
        answer.headers[.xRequestID] = requestID
        return answer
    }

    /// Returns the status, header fields and body of ``ErrorRenderer/problemJSON``.
    package func rendered(
        requestID: String
    ) -> (status: HTTPResponse.Status, headers: HTTPFields, body: ByteBuffer) {
        var writer = JSONWriter()
        writer.object { writeMembers(to: &$0, requestID: requestID) }
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        headers.append(contentsOf: self.headers)
        return (kind.status, headers, ByteBuffer(bytes: writer.bytes))
    }

    private func writeMembers(to writer: inout JSONWriter, requestID: String) {
        writer.member("type", "/problems/\(kind.rawValue)")
        writer.member("title", kind.title)
        writer.member("status", kind.status.code)
        writer.member("detail", detail)
        writer.member("code", kind.rawValue)
        writer.member("request_id", requestID)
        if !faults.isEmpty { writer.member("errors", faults) }
    }

    /// The schema of `problemJSON`'s answers.
    static let schema =
        Schema.object([
            .required("type", .string(max: 255).described("A URI reference that identifies the kind of the problem.")),
            .required("title", .string(max: 255)),
            .required("status", .integer(400...599)),
            .required("detail", .string(max: 4096)),
            .required("code", .oneOf(Kind.allCases.map(\.rawValue))),
            .required("request_id", .string(min: 1, max: 64)),
            .optional(
                "errors",
                .array(
                    of: .object([
                        .optional("pointer", .string(max: 65_536).described("The location in the body (RFC 6901).")),
                        .optional("parameter", .string(max: 65_536).described("The query parameter.")),
                        .optional("header", .string(max: 255).described("The header field.")),
                        .required("detail", .string(max: 4096)),
                    ]),
                    max: Validation.maximumFaults
                )
                .described("The faults of the input.")
            ),
        ])
        .named("Problem")
}
