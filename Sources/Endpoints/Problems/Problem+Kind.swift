package import HTTPTypes

extension Problem {
    /// The kinds of errors; the raw value is the stable `code` that clients may depend on.
    package enum Kind: String, Sendable, CaseIterable {
        /// The body, the query or a header is not what the operation takes.
        case invalidRequest = "invalid_request"
        /// No credential, or one that does not count.
        case unauthorized
        /// The credential lacks a permission.
        case forbidden
        /// What the path names does not exist for this caller.
        case notFound = "not_found"
        /// The path exists, but not with this method.
        case methodNotAllowed = "method_not_allowed"
        /// The body took too long to arrive.
        case requestTimeout = "request_timeout"
        /// The state of the resource does not allow it.
        case conflict
        /// The body exceeds the limit.
        case contentTooLarge = "content_too_large"
        /// The body is not JSON by its own account.
        case unsupportedMediaType = "unsupported_media_type"
        /// Well-formed and valid, but not to be done, such as an idempotency key with another body.
        case unprocessable
        /// A limit has been reached.
        case rateLimited = "rate_limited"
        /// Nothing the client did.
        case internalError = "internal_error"
        /// The database of one workspace cannot be reached.
        case workspaceUnavailable = "workspace_unavailable"
        /// The service cannot answer now.
        case serviceUnavailable = "service_unavailable"
        /// The operation did not end in the time that it may take.
        case deadlineExceeded = "deadline_exceeded"
    }
}

extension Problem.Kind {
    /// The status of the answer.
    package var status: HTTPResponse.Status {
        switch self {
        case .invalidRequest: .badRequest
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .requestTimeout: .requestTimeout
        case .conflict: .conflict
        case .contentTooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .unprocessable: .unprocessableContent
        case .rateLimited: .tooManyRequests
        case .internalError: .internalServerError
        case .workspaceUnavailable, .serviceUnavailable, .deadlineExceeded: .serviceUnavailable
        }
    }

    /// The summary of the kind, which is the same in every occurrence.
    package var title: String {
        switch self {
        case .invalidRequest: "Invalid request"
        case .unauthorized: "Authentication required"
        case .forbidden: "Permission denied"
        case .notFound: "Not found"
        case .methodNotAllowed: "Method not allowed"
        case .requestTimeout: "Request timeout"
        case .conflict: "Conflict"
        case .contentTooLarge: "Content too large"
        case .unsupportedMediaType: "Unsupported media type"
        case .unprocessable: "Unprocessable"
        case .rateLimited: "Rate limit reached"
        case .internalError: "Internal error"
        case .workspaceUnavailable: "Workspace unavailable"
        case .serviceUnavailable: "Service unavailable"
        case .deadlineExceeded: "Deadline exceeded"
        }
    }

    /// The detail where an occurrence has nothing to add.
    var sentence: String {
        switch self {
        case .invalidRequest: "The request is not valid."
        case .unauthorized: "This operation needs a valid credential in the Authorization header."
        case .forbidden: "The credential does not permit this operation."
        case .notFound: "There is nothing here for this caller."
        case .methodNotAllowed: "The resource does not support this method."
        case .requestTimeout: "The body did not arrive in time."
        case .conflict: "The state of the resource does not allow this operation."
        case .contentTooLarge: "The body exceeds the size limit."
        case .unsupportedMediaType: "The body must be JSON."
        case .unprocessable: "The operation cannot be done."
        case .rateLimited: "Too many requests."
        case .internalError: "The service failed to answer. The request id identifies the failure in its log."
        case .workspaceUnavailable: "The workspace's database cannot be used at the moment."
        case .serviceUnavailable: "The service cannot answer at the moment."
        case .deadlineExceeded: "The operation took too long and was stopped; it may or may not have taken effect."
        }
    }
}
