package import HTTPTypes
package import JSON

extension Problem {
    /// The input is wrong in these ways.
    package static func invalidRequest(_ faults: [Fault]) -> Problem {
        let sentence =
            switch faults.count {
            case 0: Kind.invalidRequest.sentence
            case 1: "\(faults[0].subject) \(faults[0].detail)."
            default: "\(faults.count) things are wrong with the request."
            }
        return Problem(.invalidRequest, detail: sentence, faults: faults)
    }

    /// The input is wrong in this way.
    package static func invalidRequest(_ fault: Fault) -> Problem { invalidRequest([fault]) }

    /// The body is not JSON.
    package static func invalidJSON(_ error: JSONError) -> Problem {
        Problem(
            .invalidRequest,
            detail: "The body is \(error.description).",
            faults: [Fault(.body(JSONPointer()), error.description)]
        )
    }

    /// There is no credential.
    ///
    /// RFC 6750 section 3.1 wants no error code in this case.
    package static let unauthorized = Problem(.unauthorized, headers: [.wwwAuthenticate: challenge])

    /// There is a credential, but it does not count (any more).
    package static let invalidCredential = Problem(
        .unauthorized,
        detail: "The credential is not valid.",
        headers: [.wwwAuthenticate: "\(challenge), error=\"invalid_token\""]
    )

    /// The credential lacks this permission.
    package static func forbidden(permission: String) -> Problem {
        Problem(
            .forbidden,
            detail: "This operation needs the permission \"\(permission)\".",
            headers: [.wwwAuthenticate: "\(challenge), error=\"insufficient_scope\", scope=\"\(permission)\""]
        )
    }

    /// What the path names does not exist for this caller.
    package static let notFound = Problem(.notFound)

    /// The state of the resource does not allow it; the detail says which.
    package static func conflict(_ detail: String) -> Problem { Problem(.conflict, detail: detail) }

    /// The body has more than `limit` bytes.
    ///
    /// The connection is closed, since nobody wants the rest.
    package static func contentTooLarge(limit: Int) -> Problem {
        Problem(.contentTooLarge, detail: "The body may have at most \(limit) bytes.", headers: [.connection: "close"])
    }

    /// The body took too long to arrive.
    ///
    /// The connection is closed.
    package static let requestTimeout = Problem(.requestTimeout, headers: [.connection: "close"])

    /// The body is not JSON by its own account.
    package static let unsupportedMediaType = Problem(.unsupportedMediaType, headers: [.accept: "application/json"])

    /// Well-formed and valid, but not to be done.
    package static func unprocessable(_ detail: String) -> Problem { Problem(.unprocessable, detail: detail) }

    /// A limit has been reached; `seconds` is when to come back.
    package static func rateLimited(retryAfter seconds: Int) -> Problem {
        Problem(.rateLimited, headers: [.retryAfter: seconds.description])
    }

    /// The database of one workspace cannot be reached; `seconds` is when to come back.
    package static func workspaceUnavailable(retryAfter seconds: Int) -> Problem {
        Problem(.workspaceUnavailable, headers: [.retryAfter: seconds.description])
    }

    /// The service cannot answer now; `seconds` is when to come back.
    package static func serviceUnavailable(retryAfter seconds: Int) -> Problem {
        Problem(.serviceUnavailable, headers: [.retryAfter: seconds.description])
    }

    /// The operation did not end in the time that it may take.
    package static let deadlineExceeded = Problem(.deadlineExceeded, headers: [.retryAfter: "1"])

    /// The path exists with these methods only.
    package static func methodNotAllowed(allow methods: [HTTPRequest.Method]) -> Problem {
        Problem(.methodNotAllowed, headers: [.allow: methods.map(\.rawValue).joined(separator: ", ")])
    }

    /// Nothing the client did.
    package static let internalError = Problem(.internalError)

    private static let challenge = "Bearer realm=\"mortise\""
}
