import HTTPTypes
package import Hummingbird
import JSON
import NIOCore

/// Spells problems in the dialect of one surface.
package struct ErrorRenderer: Sendable {
    /// Makes the answer.
    ///
    /// `X-Request-Id` is added by `FrontMiddleware`.
    package let render: @Sendable (_ problem: Problem, _ context: MortiseRequestContext) -> Response

    /// Makes a renderer.
    package init(_ render: @escaping @Sendable (Problem, MortiseRequestContext) -> Response) {
        self.render = render
    }

    /// `application/problem+json` (RFC 9457) with `code`, `request_id` and, for bad input, `errors`; never stored by caches.
    package static let problemJSON = ErrorRenderer { problem, context in
        var writer = JSONWriter()
        writer.object { problem.writeMembers(to: &$0, requestID: context.requestID) }
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        headers.append(contentsOf: problem.headers)
        return Response(
            status: problem.kind.status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes))
        )
    }
}

extension Problem {
    fileprivate func writeMembers(to writer: inout JSONWriter, requestID: String) {
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
                        .optional("pointer", .string(max: 65_536).described("The place in the body (RFC 6901).")),
                        .optional("parameter", .string(max: 65_536).described("The query parameter.")),
                        .optional("header", .string(max: 255).described("The header field.")),
                        .required("detail", .string(max: 4096)),
                    ]),
                    max: Validation.maximumFaults
                )
                .described("Everything that is wrong with the input.")
            ),
        ])
        .named("Problem")
}
