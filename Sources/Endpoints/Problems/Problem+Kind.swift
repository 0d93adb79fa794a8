package import HTTPTypes

extension Problem {
    /// A kind of error.
    ///
    /// The raw value is the stable `code` that clients can depend on.
    package enum Kind: String, Sendable, CaseIterable {
        /// The body, the query or a header field is invalid.
        case invalidRequest = "invalid_request"
        /// The credential is missing or not valid.
        case unauthorized
        /// The credential lacks a permission.
        case forbidden
        /// The path names no resource of the caller.
        case notFound = "not_found"
        /// The path exists, but not with this method.
        case methodNotAllowed = "method_not_allowed"
        /// The body arrived too slowly.
        case requestTimeout = "request_timeout"
        /// The state of the resource does not allow the operation.
        case conflict
        /// The body exceeds the limit.
        case contentTooLarge = "content_too_large"
        /// The request line or the header fields exceed the limits.
        case headersTooLarge = "headers_too_large"
        /// The header fields name another type than JSON, or an encoding.
        case unsupportedMediaType = "unsupported_media_type"
        /// The request is valid and cannot be performed, such as an idempotency key with another body.
        case unprocessable
        /// A rate limit is reached.
        case rateLimited = "rate_limited"
        /// The service has a fault.
        case internalError = "internal_error"
        /// The database of one workspace is unreachable.
        case workspaceUnavailable = "workspace_unavailable"
        /// The service cannot answer now.
        case serviceUnavailable = "service_unavailable"
        /// The operation exceeded its deadline.
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
        case .headersTooLarge: .requestHeaderFieldsTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .unprocessable: .unprocessableContent
        case .rateLimited: .tooManyRequests
        case .internalError: .internalServerError
        case .workspaceUnavailable, .serviceUnavailable, .deadlineExceeded: .serviceUnavailable
        }
    }

    /// The summary of the kind.
    ///
    /// The same in every occurrence.
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
        case .headersTooLarge: "Headers too large"
        case .unsupportedMediaType: "Unsupported media type"
        case .unprocessable: "Unprocessable"
        case .rateLimited: "Rate limit reached"
        case .internalError: "Internal error"
        case .workspaceUnavailable: "Workspace unavailable"
        case .serviceUnavailable: "Service unavailable"
        case .deadlineExceeded: "Deadline exceeded"
        }
    }

    /// The detail of an occurrence without a detail of its own.
    var sentence: String {
        switch self {
        case .invalidRequest: "The request is not valid."
        case .unauthorized: "This operation needs a valid credential in the Authorization header."
        case .forbidden: "The credential does not permit this operation."
        case .notFound: "The resource does not exist, or the credential does not reach it."
        case .methodNotAllowed: "The resource does not support this method."
        case .requestTimeout: "The body did not arrive in time."
        case .conflict: "The state of the resource does not allow this operation."
        case .contentTooLarge: "The body exceeds the size limit."
        case .headersTooLarge: "The request line or the header fields exceed the size limit."
        case .unsupportedMediaType: "The body must be JSON."
        case .unprocessable: "The operation cannot be performed."
        case .rateLimited: "A rate limit is reached. Send the request again later."
        case .internalError: "The service failed. Its log has the cause under the request id."
        case .workspaceUnavailable: "The workspace's database is unavailable. Send the request again later."
        case .serviceUnavailable: "The service is unavailable. Send the request again later."
        case .deadlineExceeded:
            "The operation was stopped at its deadline. Read the resource to learn if the operation took effect."
        }
    }
}
