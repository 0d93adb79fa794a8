// Verdicts on tokens.
import Foundation
import MortiseClient

func verify(_ client: Mortise) async throws {
    // snippet.verify
    let verdict = try await client.verify(
        SecretToken("mks_live_…"),
        scopes: ["read:orders"],
        address: "203.0.113.7",
        namespace: "eu"
    )
    guard verdict.isValid, let key = verdict.key else {
        print("Refused:", verdict.code.rawValue)
        return
    }
    print(key.name, "may read orders")
    // snippet.end
}

func readKey(_ verdict: Mortise.Verdict) {
    // snippet.key
    guard verdict.isValid, let key = verdict.key else { return }
    print(key.kind, key.id, key.name, key.subject ?? "no subject", key.scopes)
    print(key.organizationID, key.workspaceID, key.mode.rawValue, key.metadata["plan"] ?? "free")
    if let end = key.expiresAt, end.timeIntervalSinceNow < 7 * 86_400 {
        print("The key expires within a week.")
    }
    // snippet.end
}

// snippet.status
/// Returns the HTTP status that an API server sends to a client with this verdict.
func status(for verdict: Mortise.Verdict) -> Int {
    switch verdict.code {
    case .valid: 200
    case .malformed, .notFound, .disabled, .revoked, .expired: 401
    case .wrongAddress, .wrongMode, .wrongNamespace, .insufficientScope: 403
    case .rateLimited: 429
    case .workspaceUnavailable: 503
    default: 401
    }
}
// snippet.end

func showRateLimit(_ verdict: Mortise.Verdict) {
    // snippet.rate-limit
    if let rateLimit = verdict.rateLimit {
        print(rateLimit.remaining, "of", rateLimit.limit, "uses are left until", rateLimit.resetAt)
    }
    // snippet.end
}

// snippet.fail-closed
/// Returns true only if the server said that the token is valid.
func isAllowed(_ token: String, _ client: Mortise) async -> Bool {
    do {
        return try await client.verify(SecretToken(token), scopes: ["read:orders"], mode: .live).isValid
    } catch {
        print("No verdict:", error)
        return false
    }
}
// snippet.end

func verifyMany(_ client: Mortise, _ tokens: [String]) async throws {
    // snippet.batch
    var questions = tokens.map { Mortise.Verification(SecretToken($0), scopes: ["write:orders"], mode: .live) }
    questions[0].address = "203.0.113.7"
    questions[0].namespace = "eu"
    let verdicts = try await client.verify(questions)
    for (question, verdict) in zip(questions, verdicts) where verdict.code == .wrongAddress {
        print(question.token, "was used from", question.address ?? "an unknown address")  // (secret) was used from …
    }
    // snippet.end
    print(questions[0].scopes, questions[0].mode == .live, questions[0].namespace ?? "default")
}
