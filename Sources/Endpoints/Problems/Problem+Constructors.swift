package import HTTPTypes
package import JSON

extension Problem {
    /// Returns the problem of input with these faults.
    package static func invalidRequest(_ faults: [Fault]) -> Problem {
        let sentence =
            switch faults.count {
            case 0: Kind.invalidRequest.sentence
            case 1: "\(faults[0].subject) \(faults[0].detail)."
            default: "The request has \(faults.count) faults."
            }
        return Problem(.invalidRequest, detail: sentence, faults: faults)
    }

    /// Returns the problem of input with one fault.
    package static func invalidRequest(_ fault: Fault) -> Problem { invalidRequest([fault]) }

    /// Returns the problem of a body that is not JSON.
    package static func invalidJSON(_ error: JSONError) -> Problem {
        Problem(
            .invalidRequest,
            detail: "The body is \(error.description).",
            faults: [Fault(.body(JSONPointer()), error.description)]
        )
    }

    /// The problem of a request without a credential.
    ///
    /// RFC 6750 section 3.1 asks for no error code in this case.
    package static let unauthorized = Problem(.unauthorized, headers: [.wwwAuthenticate: challenge])

    /// The problem of a credential that is not valid.
    package static let invalidCredential = Problem(
        .unauthorized,
        detail: "The credential is not valid.",
        headers: [.wwwAuthenticate: "\(challenge), error=\"invalid_token\""]
    )

    /// Returns the problem of a credential without a permission.
    package static func forbidden(permission: String) -> Problem {
        Problem(
            .forbidden,
            detail: "This operation needs the permission \"\(permission)\".",
            headers: [.wwwAuthenticate: "\(challenge), error=\"insufficient_scope\", scope=\"\(permission)\""]
        )
    }

    /// The problem of a path that names no resource of the caller.
    package static let notFound = Problem(.notFound)

    /// The problem of a path that no operation has.
    package static let noOperation = Problem(.notFound, detail: "No operation has this path.")

    /// Returns the problem of a resource whose state does not allow the operation.
    ///
    /// The detail names the state.
    package static func conflict(_ detail: String) -> Problem { Problem(.conflict, detail: detail) }

    /// Returns the problem of a body with more than `limit` bytes.
    ///
    /// The connection is closed, so that the server need not read the rest.
    package static func contentTooLarge(limit: Int) -> Problem {
        Problem(.contentTooLarge, detail: "The body must have at most \(limit) bytes.", headers: [.connection: "close"])
    }

    /// The problem of a body that arrived too slowly.
    ///
    /// The connection is closed.
    package static let requestTimeout = Problem(.requestTimeout, headers: [.connection: "close"])

    /// The problem of a request that is not HTTP/1.1.
    ///
    /// The connection is closed.
    package static let malformedRequest = Problem(
        .invalidRequest,
        detail: "The request is not well-formed HTTP/1.1.",
        headers: [.connection: "close"]
    )

    /// Returns the problem of a request line and header fields beyond the limits.
    ///
    /// The connection is closed.
    ///
    /// - Parameters:
    ///   - bytes: The largest size of all of them.
    ///   - field: The largest size of one of them, in bytes.
    ///   - fields: The largest number of fields.
    /// - Returns: The problem.
    package static func headersTooLarge(bytes: Int, field: Int, fields: Int) -> Problem {
        Problem(
            .headersTooLarge,
            detail: """
                The request must have at most \(fields) header fields. They and the request line must have at most \
                \(field) bytes each, and \(bytes) bytes together.
                """,
            headers: [.connection: "close"]
        )
    }

    /// The problem of a body that does not have the form that its header fields announce.
    ///
    /// The connection is closed.
    package static let malformedBody = Problem(
        .invalidRequest,
        detail: "The body does not have the form that Content-Length or Transfer-Encoding announces.",
        headers: [.connection: "close"]
    )

    /// The problem of a body that ended before its announced end.
    ///
    /// The connection is closed.
    package static let incompleteBody = Problem(
        .invalidRequest,
        detail: "The connection ended before the end of the body.",
        headers: [.connection: "close"]
    )

    /// The problem of a request without exactly one valid `Host` (RFC 9112 section 3.2).
    ///
    /// The connection is closed.
    package static let invalidHost = Problem(
        .invalidRequest,
        detail: "The request must have one Host header with a host and an optional port.",
        faults: [Fault(.header("Host"), "must occur once, with a host and an optional port")],
        headers: [.connection: "close"]
    )

    /// The problem of a body whose header fields name another type than JSON.
    package static let unsupportedMediaType = Problem(.unsupportedMediaType, headers: [.accept: "application/json"])

    /// The problem of a body that its header fields call compressed, or encoded otherwise.
    ///
    /// RFC 9110 section 15.5.16 asks for the encodings that would be accepted.
    package static let encodedBody = Problem(
        .unsupportedMediaType,
        detail: "The header Content-Encoding is not supported. Send the body uncompressed, without this header.",
        headers: [.acceptEncoding: "identity"]
    )

    /// Returns the problem of a valid request that cannot be performed.
    package static func unprocessable(_ detail: String) -> Problem { Problem(.unprocessable, detail: detail) }

    /// Returns the problem of a reached rate limit.
    ///
    /// `seconds` is the time to wait.
    package static func rateLimited(retryAfter seconds: Int) -> Problem {
        Problem(.rateLimited, headers: [.retryAfter: seconds.description])
    }

    /// Returns the problem of a workspace whose database is unreachable.
    ///
    /// `seconds` is the time to wait.
    package static func workspaceUnavailable(retryAfter seconds: Int) -> Problem {
        Problem(.workspaceUnavailable, headers: [.retryAfter: seconds.description])
    }

    /// Returns the problem of a service that cannot answer now.
    ///
    /// `seconds` is the time to wait.
    package static func serviceUnavailable(retryAfter seconds: Int) -> Problem {
        Problem(.serviceUnavailable, headers: [.retryAfter: seconds.description])
    }

    /// The problem of an operation that exceeded its deadline.
    package static let deadlineExceeded = Problem(.deadlineExceeded, headers: [.retryAfter: "1"])

    /// Returns the problem of a path that exists with other methods only.
    package static func methodNotAllowed(allow methods: [HTTPRequest.Method]) -> Problem {
        Problem(.methodNotAllowed, headers: [.allow: methods.map(\.rawValue).joined(separator: ", ")])
    }

    /// The problem of a fault in the service.
    package static let internalError = Problem(.internalError)

    private static let challenge = "Bearer realm=\"mortise\""
}
