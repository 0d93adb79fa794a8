import Endpoints
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Service
import Surfaces

/// Errors as this dialect spells them: `code`, `message` and, for bad input, `details` by the place of the fault.
///
/// The clients repeat 408, 409, 429 and all of 500 and above unless `x-should-retry` says otherwise, so every answer says it that another
/// request would not change.
enum BoltzProblems {
    /// The problem that stands for an error of the domain.
    static func problem(for error: any Error) -> Problem? {
        guard var problem = DomainProblems.problem(for: error) else { return nil }
        switch error as? Refusal {
        case .outcomeUnknown, .unfinished:
            problem.headers[.xShouldRetry] = "false"
            problem.headers[.retryAfter] = nil
        default: break
        }
        return problem
    }

    static let renderer = ErrorRenderer { problem, _ in
        var writer = JSONWriter()
        writer.object {
            $0.member("code", code(problem))
            $0.member("message", message(problem))
            if !problem.faults.isEmpty {
                $0.member("details", details(problem.faults))
            }
        }
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        headers.append(contentsOf: problem.headers)
        // The challenges of the problem are those of a bearer token, which this dialect does not take.
        headers[.wwwAuthenticate] = problem.kind == .unauthorized ? "ApiKey realm=\"mortise\"" : nil
        if !isRetryable(problem) { headers[.xShouldRetry] = "false" }
        return Response(
            status: problem.kind.status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes))
        )
    }

    /// Whether the same request may succeed later, and does no harm a second time.
    private static func isRetryable(_ problem: Problem) -> Bool {
        guard problem.headers[.xShouldRetry] == nil else { return false }
        switch problem.kind {
        case .requestTimeout, .rateLimited, .workspaceUnavailable, .serviceUnavailable: return true
        // Those that pass say when to come back.
        case .conflict: return problem.headers[.retryAfter] != nil
        // What was stopped half-way may have taken effect: a creation would be one key too many.
        default: return false
        }
    }

    private static func code(_ problem: Problem) -> String {
        switch problem.kind {
        case .invalidRequest: problem.faults.contains { $0.boltzPlace != nil } ? "VALIDATION_ERROR" : "bad_request"
        default: problem.kind.rawValue
        }
    }

    private static func message(_ problem: Problem) -> String {
        guard problem.kind == .invalidRequest, problem.faults.contains(where: { $0.boltzPlace != nil }) else {
            return problem.detail
        }
        return "Request validation failed"
    }

    /// What is wrong by its place; several faults of one place are one text.
    private static func details(_ faults: [Fault]) -> JSONObject {
        var details = JSONObject()
        for fault in faults {
            let place = fault.boltzPlace ?? "body"
            let earlier = details[place]?.string.map { "\($0); " } ?? ""
            details[place] = .string(earlier + fault.detail)
        }
        return details
    }
}

extension Fault {
    /// The place as this dialect writes it, such as `allowed_ips.0`; `nil` for the body as a whole.
    fileprivate var boltzPlace: String? {
        switch location {
        case .body(let pointer):
            pointer.tokens.isEmpty
                ? nil
                : pointer.tokens
                    .map { token in
                        switch token {
                        case .member(let name): name
                        case .element(let index): index.description
                        }
                    }
                    .joined(separator: ".")
        case .query(let name): name.isEmpty ? "query" : name
        case .header(let name): name
        }
    }
}
