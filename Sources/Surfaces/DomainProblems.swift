package import Endpoints
import HTTPTypes
import JSON
import Keys
import Migrations
import Postgres
import Service
import Tenancy
import Verification

/// The translation of errors of the domain into problems.
///
/// Each surface renders the problems in its dialect.
package enum DomainProblems {
    /// The `Retry-After` of an answer about an unreachable database, in seconds.
    private static let retryAfter = 2

    /// Returns the problem that stands for an error of the domain, or `nil` for an error that only a fault of the program explains.
    package static func problem(for error: any Error) -> Problem? {
        switch error {
        case let refusal as Refusal: refused(refusal)
        case let error as TenancyError: tenancy(error)
        case let error as PostgresError where error.refusesChanges:
            unavailable("The database accepts no changes at the moment. Send the request again later.")
        case let error as PostgresError where error.isTransient:
            unavailable("The database cannot be used at the moment. Send the request again later.")
        case is WorkspaceUnreachable: .workspaceUnavailable(retryAfter: retryAfter)
        case is AdvisoryLock.Taken: .serviceUnavailable(retryAfter: retryAfter)
        default: nil
        }
    }

    private static func refused(_ refusal: Refusal) -> Problem {
        switch refusal {
        case .unauthenticated: return .invalidCredential
        case .forbidden(let permission): return .forbidden(permission: permission.rawValue)
        case .forbiddenKind(let sentence): return Problem(.forbidden, detail: sentence)
        case .notFound: return .notFound
        case .conflict(let sentence), .quotaReached(let sentence), .memberExists(let sentence):
            return .conflict(sentence)
        case .nameTaken: return .conflict("A key with this name exists already. Choose another name.")
        case .ofKeys(let positions, let refusal): return refused(refusal, at: positions)
        case .invalid(let fields):
            return .invalidRequest(fields.map { Fault(.body(JSONPointer(text: $0.pointer)), Self.clause($0.detail)) })
        case .idempotencyKeyReused:
            return .unprocessable("This Idempotency-Key was used for a different request within the last 24 hours.")
        case .idempotencyKeyInUse:
            return inProgress("A request with this Idempotency-Key is in progress. Send the request again later.")
        case .busy:
            return inProgress("Another change of the same resource is in progress. Send the request again later.")
        case .limitReached(let limit): return limitReached(limit)
        case .workspaceUnavailable: return .workspaceUnavailable(retryAfter: retryAfter)
        case .tooManyAttempts(let seconds, let limit):
            return rateLimited("attempts", limit.limit, in: limit.period, retryAfter: seconds)
        case .overloaded: return .serviceUnavailable(retryAfter: 1)
        case .unavailable: return .serviceUnavailable(retryAfter: retryAfter)
        case .directoryUnavailable:
            return unavailable(
                "The database of organizations and workspaces did not answer in time. Send the request again later."
            )
        case .outcomeUnknown:
            return unavailable(
                "The outcome of the change is unknown, because the database did not confirm the commit. Send the request again, with the same Idempotency-Key if it had one."
            )
        case .unfinished:
            // The answer has no Retry-After, because a second request would create a second resource.
            return Problem(
                .serviceUnavailable,
                detail: "The change is recorded and will be finished automatically. Read the resource to see its state."
            )
        }
    }

    /// Returns the problem of a change of several keys, which names the keys by their positions in `ids`.
    private static func refused(_ refusal: Refusal, at positions: [Int]) -> Problem {
        var problem = refused(refusal)
        let fault = problem.kind == .notFound ? "names no key of this list" : "was refused: \(clause(problem.detail))"
        problem.faults = positions.map { Fault(.body(JSONPointer([.member("ids"), .element($0)])), fault) }
        problem.detail += " No key was changed."
        return problem
    }

    private static func limitReached(_ limit: RateLimitVerdict) -> Problem {
        let name = limit.period == .seconds(60) ? "minute" : "hour"
        return rateLimited(name, limit.limit, in: limit.period, retryAfter: max(1, wholeSeconds(limit.retryAfter)))
    }

    /// Returns the problem of a reached rate limit, with the fields of draft-ietf-httpapi-ratelimit-headers.
    ///
    /// - Parameters:
    ///   - name: The name of the limit.
    ///   - limit: The number of uses in a period.
    ///   - period: The period.
    ///   - seconds: The time to wait.
    /// - Returns: The problem.
    private static func rateLimited(
        _ name: String,
        _ limit: Int,
        in period: Duration,
        retryAfter seconds: Int
    ) -> Problem {
        var problem = Problem.rateLimited(retryAfter: seconds)
        problem.headers[.rateLimit] = "\"\(name)\";r=0;t=\(seconds)"
        problem.headers[.rateLimitPolicy] = "\"\(name)\";q=\(limit);w=\(wholeSeconds(period))"
        return problem
    }

    /// Returns the duration in whole seconds, rounded up, so that a client does not return too early.
    private static func wholeSeconds(_ duration: Duration) -> Int {
        let (seconds, rest) = duration.components
        return Int(seconds) + (rest > 0 ? 1 : 0)
    }

    private static func tenancy(_ error: TenancyError) -> Problem? {
        switch error.code {
        case .unknownOrganization, .unknownWorkspace: .notFound
        case .unknownCluster: .invalidRequest(.body("cluster", detail: "names no cluster of this installation"))
        case .invalid: .invalidRequest(fault(error))
        case .slugTaken, .clusterNameTaken, .defaultExists, .defaultWorkspace, .wrongState:
            .conflict(sentence(error.message))
        case .heldByOperator: Problem(.forbidden, detail: sentence(error.message))
        case .busy: inProgress(sentence(error.message))
        case .capacityExceeded: .serviceUnavailable(retryAfter: 1)
        case .blocked: unavailable(sentence(error.message))
        case .databaseUnusable: workspaceUnavailable(sentence(error.message))
        default: nil
        }
    }

    private static func inProgress(_ detail: String) -> Problem {
        Problem(.conflict, detail: detail, headers: [.retryAfter: "1"])
    }

    private static func unavailable(_ detail: String) -> Problem {
        var problem = Problem.serviceUnavailable(retryAfter: retryAfter)
        problem.detail = detail
        return problem
    }

    private static func workspaceUnavailable(_ detail: String) -> Problem {
        var problem = Problem.workspaceUnavailable(retryAfter: retryAfter)
        problem.detail = detail
        return problem
    }

    private static func fault(_ error: TenancyError) -> Fault {
        Fault(.body(JSONPointer(error.field.map { [.member($0)] } ?? [])), "is not acceptable: \(error.message)")
    }

    /// Returns a clause such as "the slug is taken" as a sentence.
    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    /// Returns a sentence such as "Must be in the future." as a clause.
    private static func clause(_ sentence: String) -> String {
        let text = sentence.hasSuffix(".") ? sentence.dropLast() : sentence[...]
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

extension JSONPointer {
    /// Reads a pointer of members with plain names and of indexes, as use cases name their fields.
    package init(text: String) {
        self.init(text.split(separator: "/").map { Int($0).map(Token.element) ?? .member(String($0)) })
    }
}

extension PostgresError {
    /// True if the server or the connection caused the error, so that the same request can succeed later.
    fileprivate var isTransient: Bool {
        switch code {
        case .connectFailed, .connectionLost, .deadlineExceeded, .cancelled, .poolTimedOut, .queueFull, .closed,
            .commitOutcomeUnknown:
            true
        case .server:
            // 40: a conflict of transactions; 53: out of resources; 57: cancelled or shutting down; 58: the server's own system failed;
            // 55P03: a lock timeout.
            sqlState.map { ["40", "53", "57", "58"].contains($0.errorClass) || $0 == .lockNotAvailable } ?? false
        default: false
        }
    }

    /// True if the server goes on with reads: it is a standby, was set to be read-only, or its disk is full.
    fileprivate var refusesChanges: Bool { [.readOnlyTransaction, .diskFull].contains(sqlState) }
}
