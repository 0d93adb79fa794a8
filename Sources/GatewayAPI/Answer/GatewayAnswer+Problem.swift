import Endpoints
import HTTPTypes
import JSON

extension GatewayAnswer {
    /// Returns an answer in the terms of RFC 9457.
    ///
    /// Gateways hand the body on to the client. It has no request id, so that equal refusals are equal to the byte.
    ///
    /// - Parameters:
    ///   - kind: The kind of the problem.
    ///   - status: The status. `nil` means the status of the kind.
    ///   - detail: A sentence for the client.
    ///   - fields: Further header fields.
    /// - Returns: The answer.
    static func problem(
        _ kind: Problem.Kind,
        status: Int? = nil,
        _ detail: String,
        _ fields: [Field] = []
    ) -> GatewayAnswer {
        let status = status ?? Int(kind.status.code)
        var writer = JSONWriter(capacity: 192)
        writer.object {
            $0.member("type", "/problems/\(kind.rawValue)")
            $0.member("title", kind.title)
            $0.member("status", status)
            $0.member("detail", detail)
            $0.member("code", kind.rawValue)
        }
        let common = [Field("Cache-Control", "no-store"), Field("Content-Type", "application/problem+json")]
        return GatewayAnswer(status: status, fields: common + fields, body: writer.bytes)
    }

    /// Returns the answer to a request that is refused before it is read as a question.
    ///
    /// Its reason is `invalid_request`, as for options that are wrong: the gateway or its client must change the request.
    ///
    /// - Parameters:
    ///   - detail: A sentence for the client.
    ///   - kind: The kind of the problem.
    ///   - status: The status. `nil` means the status of the kind.
    ///   - fields: Further header fields.
    /// - Returns: The answer.
    static func unread(
        _ detail: String,
        kind: Problem.Kind = .invalidRequest,
        status: Int? = nil,
        _ fields: [Field] = []
    ) -> GatewayAnswer {
        problem(kind, status: status, detail, [Field(reasonName, CheckOutcome.invalidRequest)] + fields)
    }

    /// The answer to a request that is not HTTP/1.1.
    static let malformedRequest = unread("The request is not well-formed HTTP/1.1.")

    /// The answer to an HTTP/1.1 request without exactly one `Host` (RFC 9112 section 3.2).
    static let invalidHost = unread("The request must have one Host header.")

    /// The answer to a request line that is too long.
    static let targetTooLong = unread("The request line must have at most 8192 bytes.", status: 414)

    /// The answer to headers that are too large.
    static let headersTooLarge = unread("The headers must have at most 61440 bytes and 1000 lines.", status: 431)

    /// The answer to a path that the listener does not serve.
    static let notFound = unread("The listener serves /v1/authorize, /healthz and /readyz.", kind: .notFound)

    /// The answer to a method that a path does not have.
    static let methodNotAllowed = unread(
        "The path supports GET and HEAD.",
        kind: .methodNotAllowed,
        [Field("Allow", "GET, HEAD")]
    )

    /// Returns a plain text.
    static func text(_ text: String, status: Int = 200) -> GatewayAnswer {
        GatewayAnswer(
            status: status,
            fields: [Field("Cache-Control", "no-store"), Field("Content-Type", "text/plain; charset=utf-8")],
            body: Array(text.utf8)
        )
    }
}
