extension MortiseError {
    /// The kind of an error.
    ///
    /// A newer version can add reasons, so handle `default`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/HandleErrors", slice: "reason")
    public struct Reason: Sendable, Hashable, CustomStringConvertible {
        /// The name of the reason.
        public let description: String

        /// The request is not valid (status 400, 413 or 422).
        ///
        /// ``MortiseError/faults`` has the details.
        public static let invalidRequest = Reason(description: "invalidRequest")
        /// There is no credential, or the server does not accept it (401).
        public static let unauthenticated = Reason(description: "unauthenticated")
        /// The credential lacks a permission, or its kind cannot make this call (403).
        public static let forbidden = Reason(description: "forbidden")
        /// The resource does not exist, or belongs to another organization (404).
        public static let notFound = Reason(description: "notFound")
        /// The state of the resource forbids the change, or a name is taken (409).
        public static let conflict = Reason(description: "conflict")
        /// A rate limit is reached (429).
        ///
        /// ``MortiseError/retryAfter`` has the time to wait.
        public static let rateLimited = Reason(description: "rateLimited")
        /// The server, or the database of the workspace, is unavailable (502, 503 or 504).
        public static let unavailable = Reason(description: "unavailable")
        /// The server refused the request with another status.
        public static let refused = Reason(description: "refused")
        /// No server was reached, or the connection broke.
        public static let unreachable = Reason(description: "unreachable")
        /// The call took longer than ``ClientOptions/timeout``.
        public static let timedOut = Reason(description: "timedOut")
        /// The task of the call was cancelled.
        public static let cancelled = Reason(description: "cancelled")
        /// The response is not one that Mortise sends.
        ///
        /// A proxy, or another server, may have answered.
        public static let unexpectedAnswer = Reason(description: "unexpectedAnswer")
        /// The credential was not available or cannot be sent.
        ///
        /// Nothing was sent.
        public static let noCredential = Reason(description: "noCredential")
    }
}

extension MortiseError.Reason {
    /// Returns the reason for the status of a response.
    init(status: Int) {
        switch status {
        case 400, 413, 422: self = .invalidRequest
        case 401: self = .unauthenticated
        case 403: self = .forbidden
        case 404: self = .notFound
        case 409: self = .conflict
        case 429: self = .rateLimited
        case 502, 503, 504: self = .unavailable
        default: self = .refused
        }
    }
}
