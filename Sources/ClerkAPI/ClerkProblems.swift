import Endpoints
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Service
import Surfaces
import Tenancy

/// The errors of Clerk's dialect: a list of objects with `message`, `long_message` and `code`, all of them strings.
enum ClerkProblems {
    /// Returns the problem for an error of the domain.
    ///
    /// `nil` for an error that only a fault of the program can explain.
    static func problem(for error: any Error) -> Problem? {
        switch error {
        case Refusal.nameTaken:
            Problem(
                .conflict,
                code: "token_creation_conflict",
                detail:
                    "This subject already has an API key of this name. The name of a revoked key is free once the key is deleted."
            )
        case Refusal.quotaReached(let sentence): Problem(.forbidden, code: "token_quota_exceeded", detail: sentence)
        // Contention is not a fault of the request, and clients read 409 as a name that is taken.
        case Refusal.idempotencyKeyInUse, Refusal.busy: .rateLimited(retryAfter: 1)
        case let error as TenancyError where error.code == .busy: .rateLimited(retryAfter: 1)
        default: DomainProblems.problem(for: error)
        }
    }

    /// The request has no bearer credential.
    static let noBearer = Problem(
        .unauthorized,
        code: "authorization_header_format_invalid",
        detail: "Invalid Authorization header format. Must be 'Bearer <YOUR_API_KEY>'.",
        headers: Problem.unauthorized.headers
    )

    /// The bearer is not a valid admin key.
    static let unknownSecretKey = Problem(
        .unauthorized,
        code: "clerk_key_invalid",
        detail: "The provided secret key is invalid. Use an admin key of the organization.",
        headers: Problem.invalidCredential.headers
    )

    /// The bearer is a session of an unknown issuer, or has expired.
    static let invalidSession = Problem(
        .unauthorized,
        code: "authentication_invalid",
        detail: "The session is invalid, has expired, or its issuer is unknown.",
        headers: Problem.invalidCredential.headers
    )

    /// The subject of the session is no user of Clerk's.
    ///
    /// The status is not 401, because a browser's client would then end the session.
    static let noUser = Problem(
        .forbidden,
        code: "authorization_invalid",
        detail: "The claim sub of the session is not a user id: user_ and 27 letters, digits or underscores."
    )

    /// The operation accepts neither sessions nor operator keys.
    ///
    /// The status is not 401, because a browser's client would then end the session.
    static let secretKeyOnly = Problem(
        .forbidden,
        code: "authorization_invalid",
        detail: "This operation needs an admin key of the organization as secret key."
    )

    /// The id in the path is malformed.
    static let malformedID = Problem(
        .invalidRequest,
        faults: [Fault(.query("apiKeyID"), "must be \"ak_\" and 32 hexadecimal digits")]
    )

    /// The secret of a key cannot be read again, because it is not stored.
    static let secretNotKept = Problem(
        .notFound,
        code: "api_key_secret_not_retrievable",
        detail:
            "The secret of an API key is shown once, at its creation, and is not stored. Revoke the key and create another one."
    )

    /// Renders `{"errors": […], "clerk_trace_id": …}` as exactly `application/json`, which one client compares as a whole.
    ///
    /// No cache may store it.
    static let renderer = ErrorRenderer { problem, context in
        var writer = JSONWriter()
        writer.object {
            $0.member("errors", ClerkError.list(problem))
            $0.member("clerk_trace_id", context.requestID)
        }
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        headers.append(contentsOf: problem.headers)
        return Response(
            status: problem.kind.status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes))
        )
    }
}

/// One element of the list of errors.
private struct ClerkError: JSONWritable {
    let message: String
    let longMessage: String
    let code: String
    var parameter: String?

    /// Returns a problem as a list: one element for each fault of the input, otherwise a single element.
    static func list(_ problem: Problem) -> [ClerkError] {
        guard !problem.faults.isEmpty else { return [ClerkError(problem)] }
        return problem.faults.map(ClerkError.init)
    }

    private init(_ problem: Problem) {
        message = Self.message(problem.kind)
        longMessage = problem.detail
        code = problem.code ?? Self.code(problem.kind)
    }

    private init(_ fault: Fault) {
        switch fault.location {
        case .body(let pointer) where pointer.tokens.isEmpty:
            self.init(unreadable: fault.detail)
        case .body(let pointer):
            let name = pointer.tokens.map(Self.step).joined(separator: ".")
            self.init(place: "body", name: name, fault.detail)
        case .query(let name): self.init(place: "url_parameter", name: name, fault.detail)
        case .header(let name): self.init(place: "header", name: name, fault.detail)
        }
    }

    private init(unreadable detail: String) {
        message = "Request body invalid"
        longMessage = "The request body \(detail.hasPrefix("not ") ? "is " : "")\(detail)."
        code = "request_body_invalid"
    }

    private init(place: String, name: String, _ detail: String) {
        message = "Bad Request"
        longMessage = "Invalid '\(place).\(name)': \(detail)."
        code = "bad_request"
        parameter = name
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("message", message)
            $0.member("long_message", longMessage)
            $0.member("code", code)
            if let parameter { $0.object("meta") { $0.member("param_name", parameter) } }
        }
    }

    private static func step(_ token: JSONPointer.Token) -> String {
        switch token {
        case .member(let name): name
        case .element(let index): index.description
        }
    }

    private static func message(_ kind: Problem.Kind) -> String {
        switch kind {
        case .invalidRequest: "Bad Request"
        case .notFound: "Resource not found"
        case .unauthorized: "Unauthorized"
        case .forbidden: "Forbidden"
        default: kind.title
        }
    }

    private static func code(_ kind: Problem.Kind) -> String {
        switch kind {
        case .invalidRequest: "bad_request"
        case .notFound: "resource_not_found"
        case .unauthorized: "authentication_invalid"
        case .forbidden: "authorization_invalid"
        case .contentTooLarge: "request_body_too_large"
        case .unsupportedMediaType: "unsupported_content_type"
        case .rateLimited: "too_many_requests"
        default: kind.rawValue
        }
    }
}
