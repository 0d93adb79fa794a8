import CivilTime
import Endpoints
package import Keys

extension GatewayAnswer {
    /// The `Retry-After` of an answer about a workspace that is unavailable, in seconds.
    private static let retryAfter = 2
    private static let challenge = "Bearer realm=\"mortise\""

    /// Renders the outcome of a check.
    ///
    /// A function of its arguments: equal outcomes have equal answers.
    ///
    /// - Parameters:
    ///   - outcome: The outcome.
    ///   - scopes: The scopes that the key had to have.
    ///   - statuses: The statuses that the gateway understands.
    package init(_ outcome: CheckOutcome, scopes: [Scope] = [], statuses: RefusalStatuses = RefusalStatuses()) {
        switch outcome {
        case .valid(let key, let limit):
            self = GatewayAnswer(key.fields, Self.limits(key, limit) + Self.grace(key))
        case .refused(let code, let key, let limit):
            self = Self.refused(code, key, limit, scopes, statuses, outcome)
        case .unknown: self = Self.notValid(outcome)
        case .noToken:
            self = Self.problem(
                .unauthorized,
                "The request has no API key.",
                [Self.reason(outcome), Field("WWW-Authenticate", Self.challenge)]
            )
        case .unavailable:
            self = Self.problem(
                .workspaceUnavailable,
                status: statuses.away,
                "The API key cannot be checked now. Send the request again later.",
                [Self.reason(outcome), Field("Retry-After", "\(Self.retryAfter)")]
            )
        case .invalid(let fault):
            self = Self.problem(.invalidRequest, fault.sentence, [Self.reason(outcome)])
        case .gatewayCredential:
            self = Self.problem(
                .unauthorized,
                "The gateway's own credential is not valid.",
                [Self.reason(outcome), Field("WWW-Authenticate", Self.challenge)]
            )
        case .tooManyFailures(let limit):
            self = Self.problem(
                .rateLimited,
                status: statuses.over,
                "The client has sent too many invalid API keys. Send the request again later.",
                [Self.reason(outcome), Field("Retry-After", "\(Self.seconds(limit.retryAfter))")]
                    + Self.failureLimits(limit)
            )
        case .gatewayLimit(let limit):
            self = Self.problem(
                .rateLimited,
                status: statuses.over,
                "The gateway's own credential has reached its limit.",
                [Self.reason(outcome), Field("Retry-After", "\(Self.seconds(limit.retryAfter))")]
            )
        }
    }

    private static func reason(_ outcome: CheckOutcome) -> Field { Field(reasonName, outcome.reason) }

    /// The answer about a token that is not accepted.
    ///
    /// It is the same for each reason but for one header, and that header names the true reason for a genuine key of the
    /// audience alone.
    private static func notValid(_ outcome: CheckOutcome) -> GatewayAnswer {
        problem(
            .unauthorized,
            "The API key is not valid.",
            [reason(outcome), Field("WWW-Authenticate", "\(challenge), error=\"invalid_token\"")]
        )
    }

    private static func refused(
        _ code: VerdictCode,
        _ key: CheckedKey,
        _ limit: RateLimitVerdict?,
        _ scopes: [Scope],
        _ statuses: RefusalStatuses,
        _ outcome: CheckOutcome
    ) -> GatewayAnswer {
        switch code {
        case .valid, .malformed, .notFound, .disabled, .revoked, .expired: notValid(outcome)
        case .wrongAddress: forbidden("The API key cannot be used from this address.", outcome)
        case .wrongMode: forbidden("The API key cannot be used in this mode.", outcome)
        case .wrongNamespace: forbidden("The API key cannot be used for this namespace.", outcome)
        case .insufficientScope:
            forbidden(
                "The API key does not have the scopes that this request needs.",
                outcome,
                [
                    Field(
                        "WWW-Authenticate",
                        "Bearer error=\"insufficient_scope\", scope=\"\(scopes.map(\.text).joined(separator: " "))\""
                    )
                ]
            )
        case .workspaceUnavailable: forbidden("The workspace of the API key is not active.", outcome)
        case .rateLimited:
            problem(
                .rateLimited,
                status: statuses.over,
                "The API key has reached its limit. Send the request again later.",
                [reason(outcome), Field("Retry-After", "\(seconds(limit?.retryAfter ?? .zero))")] + limits(key, limit)
            )
        }
    }

    private static func forbidden(_ detail: String, _ outcome: CheckOutcome, _ fields: [Field] = []) -> GatewayAnswer {
        problem(.forbidden, detail, [reason(outcome)] + fields)
    }

    /// The fields of rate limits (draft-ietf-httpapi-ratelimit-headers-11).
    private static func limits(_ key: CheckedKey, _ limit: RateLimitVerdict?) -> [Field] {
        guard let limit else { return [] }
        let limits = key.state.rateLimits
        let policies = [
            limits.perMinute.map { "\"minute\";q=\($0);w=60" }, limits.perHour.map { "\"hour\";q=\($0);w=3600" },
        ]
        let name = limit.period == .seconds(60) ? "minute" : "hour"
        let wait = limit.isAllowed ? limit.resetAfter : limit.retryAfter
        return [
            Field("RateLimit-Policy", policies.compactMap { $0 }.joined(separator: ", ")),
            Field("RateLimit", "\"\(name)\";r=\(limit.remaining);t=\(seconds(wait))"),
        ]
    }

    /// The fields of the limit of a client's failures.
    ///
    /// Its name differs from the names of the limits of keys, because a key of the same client has limits of its own.
    private static func failureLimits(_ limit: RateLimitVerdict) -> [Field] {
        [
            Field("RateLimit-Policy", "\"failures\";q=\(limit.limit);w=\(limit.period.components.seconds)"),
            Field("RateLimit", "\"failures\";r=0;t=\(seconds(limit.retryAfter))"),
        ]
    }

    /// The fields of a key or secret in its grace period (RFC 9745, RFC 8594).
    private static func grace(_ key: CheckedKey) -> [Field] {
        let state = key.state
        // The read does not have the time of a rotation. The read's own time is not before it.
        guard let since = state.lifecycle.deprecatedAt ?? (state.secret.endsAt == nil ? nil : key.readAt) else {
            return []
        }
        let deprecation = Field("Deprecation", "@\(wholeSeconds(since))")
        guard let end = state.endsAt else { return [deprecation] }
        return [deprecation, Field("Sunset", HTTPDate.text(seconds: wholeSeconds(end)))]
    }

    private static func wholeSeconds(_ time: Timestamp) -> Int {
        let (quotient, rest) = time.microsecondsSinceUnixEpoch.quotientAndRemainder(dividingBy: 1_000_000)
        return Int(rest < 0 ? quotient - 1 : quotient)
    }

    /// Returns the duration in whole seconds, rounded up and at least 1, so that a client does not return too early.
    private static func seconds(_ duration: Duration) -> Int {
        let (seconds, rest) = duration.components
        return max(1, Int(seconds) + (rest > 0 ? 1 : 0))
    }
}
