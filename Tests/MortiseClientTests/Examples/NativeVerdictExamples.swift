import FoundationEssentials
import MortiseClient

/// The examples in `Verdict.swift`.
enum NativeVerdictExamples {
    static func example1(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mks_live_…"), scopes: ["read:orders"])
        guard verdict.isValid, let key = verdict.key else {
            print("No:", verdict.code.rawValue)
            return
        }
        print(key.name, "may", verdict.rateLimit?.remaining ?? .max, "times yet")
    }

    static func example2(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mks_live_…"))
        let status =
            switch verdict.code {
            case .valid: 200
            case .malformed, .notFound, .disabled, .revoked, .expired: 401
            case .wrongAddress, .wrongMode, .wrongNamespace, .insufficientScope: 403
            case .rateLimited: 429
            case .workspaceUnavailable: 503
            default: 401
            }
        print(status, verdict.code.rawValue)
    }

    static func example3(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mkc_live_…"), mode: .live)
        guard verdict.isValid, let key = verdict.key else { return }
        print(key.kind, key.id, key.name, "of", key.subject ?? "nobody", "may", key.scopes)
        print("in", key.organizationID, key.workspaceID, key.mode.rawValue, key.metadata["plan"] ?? "free")
        if let end = key.expiresAt, end.timeIntervalSinceNow < 7 * 86_400 { print("It is time for another key.") }
    }

    static func example4(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mks_live_…"))
        if let limit = verdict.rateLimit {
            print(limit.remaining, "of", limit.limit, "are left until", limit.resetAt)
        }
    }
}
