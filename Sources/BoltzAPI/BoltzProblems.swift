import Endpoints
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Service
import Surfaces

/// The errors of Boltz's dialect: `code`, `message` and, for bad input, `details` by the place of the fault.
///
/// The clients retry 408, 409, 429 and every status from 500, unless `x-should-retry` is `false`. Every answer that a retry cannot change
/// therefore carries it.
enum BoltzProblems {
    /// Returns the problem for an error of the domain.
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
        // The problem's own challenge is for a bearer token, which this dialect does not accept.
        headers[.wwwAuthenticate] = problem.kind == .unauthorized ? "ApiKey realm=\"mortise\"" : nil
        if !isRetryable(problem) { headers[.xShouldRetry] = "false" }
        return Response(
            status: problem.kind.status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes))
        )
    }

    /// True if the same request can succeed later and does no harm a second time.
    private static func isRetryable(_ problem: Problem) -> Bool {
        guard problem.headers[.xShouldRetry] == nil else { return false }
        switch problem.kind {
        case .requestTimeout, .rateLimited, .workspaceUnavailable, .serviceUnavailable: return true
        // A temporary conflict has a Retry-After.
        case .conflict: return problem.headers[.retryAfter] != nil
        // An interrupted request may have taken effect. A repeated creation would create a second key.
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

    /// Returns the faults by their place.
    ///
    /// Several faults of one place become one text.
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
    /// The place of a fault in the dialect's spelling, such as `allowed_ips.0`.
    ///
    /// `nil` for the body as a whole.
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
