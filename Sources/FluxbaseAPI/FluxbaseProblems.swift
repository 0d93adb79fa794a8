import Endpoints
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Service
import Surfaces
import Tenancy

/// The errors of Fluxbase's dialect.
///
/// The SDK shows `error`, which therefore is always a string, and keeps the other members as details.
enum FluxbaseProblems {
    /// Returns the problem for an error of the domain.
    ///
    /// `nil` for an error that only a fault of the program can explain.
    static func problem(for error: any Error) -> Problem? {
        guard var problem = DomainProblems.problem(for: error) else { return nil }
        switch error {
        case Refusal.unauthenticated:
            problem.code = Code.invalidToken
            problem.detail = "Invalid or expired token"
        case Refusal.nameTaken, Refusal.memberExists: problem.code = Code.alreadyExists
        case let error as TenancyError where error.code == .slugTaken:
            problem.code = Code.alreadyExists
        default: break
        }
        return problem
    }

    /// The codes of Fluxbase that do not follow from the kind of a problem.
    enum Code {
        static let adminRequired = "ADMIN_REQUIRED"
        static let alreadyExists = "ALREADY_EXISTS"
        static let invalidBody = "INVALID_REQUEST_BODY"
        static let invalidCredentials = "INVALID_CREDENTIALS"
        static let invalidID = "INVALID_ID"
        static let invalidInput = "INVALID_INPUT"
        static let invalidToken = "INVALID_TOKEN"
        static let missingAuthentication = "MISSING_AUTHENTICATION"
        static let missingField = "MISSING_REQUIRED_FIELD"
    }

    /// Renders `{"error", "code", "message"?, "details"?, "path"?, "retry_after"?, "request_id"}`.
    ///
    /// No cache may store it.
    static let renderer = ErrorRenderer { problem, context in
        let wording = Wording(problem)
        var writer = JSONWriter()
        writer.object {
            $0.member("error", wording.error)
            $0.member("code", wording.code)
            if let message = wording.message { $0.member("message", message) }
            if !problem.faults.isEmpty { $0.member("details", problem.faults) }
            if let path = problem.unknownPath { $0.member("path", path) }
            if let seconds = problem.headers[.retryAfter].flatMap(Int.init) { $0.member("retry_after", seconds) }
            $0.member("request_id", context.requestID)
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

/// The error text, code and message of a problem.
private struct Wording {
    let error: String
    let code: String
    var message: String?

    private typealias Code = FluxbaseProblems.Code

    init(_ problem: Problem) {
        switch problem.kind {
        case .invalidRequest: self.init(badInput: problem)
        case .forbidden where problem.code == nil:
            self.init("Insufficient permissions", "INSUFFICIENT_PERMISSIONS", problem.detail)
        case .notFound where problem.code == nil: self.init("Not Found", "NOT_FOUND")
        case .rateLimited: self.init("Rate limit exceeded", Self.code(.rateLimited), problem.detail)
        default: self.init(problem.detail, problem.code ?? Self.code(problem.kind))
        }
    }

    private init(_ error: String, _ code: String, _ message: String? = nil) {
        self.error = error
        self.code = code
        self.message = message
    }

    /// Creates the wording of bad input.
    ///
    /// An unreadable member comes before a missing one, and a missing one before an invalid one.
    private init(badInput problem: Problem) {
        let faults = problem.faults
        if let code = problem.code {
            self.init(problem.detail, code)
        } else if faults.contains(where: Self.isUnreadable) {
            self.init("Invalid request body", Code.invalidBody, problem.detail)
        } else if case let missing = faults.filter({ $0.kind == .missing }), !missing.isEmpty {
            let names = Self.words(missing.map(Self.name).joined(separator: " and "))
            self.init("\(names) \(missing.count == 1 ? "is" : "are") required", Code.missingField)
        } else if let fault = faults.first {
            self.init("\(Self.name(fault)) \(fault.detail)", Code.invalidInput)
        } else {
            self.init(problem.detail, Code.invalidInput)
        }
    }

    /// True if a decoder into typed fields would have stopped at this fault.
    private static func isUnreadable(_ fault: Fault) -> Bool {
        guard case .body(let pointer) = fault.location else { return false }
        return pointer.tokens.isEmpty || fault.kind == .mistyped || fault.detail == TextFormat.dateTime.detail
    }

    /// Returns the place of a fault, such as `scopes/0`.
    private static func name(_ fault: Fault) -> String {
        switch fault.location {
        case .body(let pointer): String(pointer.description.drop { $0 == "/" })
        case .query(let name), .header(let name): name
        }
    }

    /// Returns a member's name in words: "Setup token" for "setup_token".
    private static func words(_ name: String) -> String {
        name.prefix(1).uppercased() + name.dropFirst().replacing("_", with: " ")
    }

    private static func code(_ kind: Problem.Kind) -> String {
        switch kind {
        case .invalidRequest: Code.invalidInput
        case .unauthorized: Code.invalidToken
        case .forbidden: "ACCESS_DENIED"
        case .notFound: "NOT_FOUND"
        case .methodNotAllowed: "METHOD_NOT_ALLOWED"
        case .requestTimeout: "REQUEST_TIMEOUT"
        case .conflict: "CONFLICT"
        case .contentTooLarge, .headersTooLarge: "REQUEST_TOO_LARGE"
        case .unsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE"
        case .unprocessable: "IDEMPOTENCY_KEY_REUSED"
        case .rateLimited: "RATE_LIMIT_EXCEEDED"
        case .internalError: "INTERNAL_ERROR"
        case .workspaceUnavailable, .serviceUnavailable, .deadlineExceeded: "SERVICE_UNAVAILABLE"
        }
    }
}
