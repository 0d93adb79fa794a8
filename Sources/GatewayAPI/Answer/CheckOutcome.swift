package import Keys

/// The outcome of a check.
package enum CheckOutcome: Sendable, Hashable {
    /// The key may do what the request asks for.
    case valid(CheckedKey, limit: RateLimitVerdict?)
    /// The key is genuine and the audience's, and is refused.
    case refused(VerdictCode, CheckedKey, limit: RateLimitVerdict?)
    /// The text is no token, or nobody in the audience has it.
    case unknown(VerdictCode)
    /// The request has no token.
    case noToken
    /// The end client has presented too many unknown tokens.
    case tooManyFailures(RateLimitVerdict)
    /// The workspace is unavailable.
    case unavailable
    /// The options of the path are wrong.
    case invalid(CheckFault)
    /// The gateway's own credential is wrong.
    case gatewayCredential
    /// The gateway's own credential was used too often.
    case gatewayLimit(RateLimitVerdict)

    /// The reason of a request whose options are wrong, or that cannot be read.
    static let invalidRequest = "invalid_request"

    /// The text of `X-Mortise-Reason`.
    package var reason: String {
        switch self {
        case .valid: VerdictCode.valid.rawValue
        case .refused(let code, _, _), .unknown(let code): code.rawValue
        case .noToken: "no_token"
        case .tooManyFailures: VerdictCode.rateLimited.rawValue
        case .unavailable: VerdictCode.workspaceUnavailable.rawValue
        case .invalid: Self.invalidRequest
        case .gatewayCredential, .gatewayLimit: "gateway_credential"
        }
    }
}
