// Errors, retries and idempotency keys.
import Foundation
import MortiseClient

func findKey(_ keys: Mortise.Keys) async throws {
    // snippet.not-found
    do {
        let key = try await keys.get("0198c0de-0000-7000-8000-000000000001")
        print(key.name)
    } catch let error where error.reason == .notFound {
        print("The key does not exist.")
    }
    // snippet.end
}

func showFaults(_ keys: Mortise.Keys) async {
    // snippet.faults
    do {
        _ = try await keys.create(Mortise.KeyDraft(name: "", rateLimitPerMinute: -1))
    } catch {
        for fault in error.faults { print(fault.place ?? "the request", fault.detail) }
    }
    // snippet.end
}

// snippet.reason
/// Returns what a person can do about an error.
func advice(for error: MortiseError) -> String {
    switch error.reason {
    case .invalidRequest: "Correct the request."
    case .conflict: "Read the resource again, then decide."
    case .unauthenticated, .noCredential: "Use another token."
    case .forbidden, .notFound: "Use a credential that has access."
    case .unavailable, .rateLimited, .unreachable, .timedOut: "Try again later."
    case .cancelled: "Nothing: the task was cancelled."
    case .refused, .unexpectedAnswer: "Check what stands between the client and the server."
    default: error.message
    }
}
// snippet.end

func logError(_ error: MortiseError) {
    // snippet.log
    print(error.message, error.status ?? 0, error.code ?? "", "request", error.requestID ?? "unknown")
    // snippet.end
}

func createOnce(_ keys: Mortise.Keys) async throws -> Mortise.IssuedKey {
    // snippet.repeat
    let draft = Mortise.KeyDraft(name: "CI")
    do {
        return try await keys.create(draft)
    } catch {
        guard error.mayHaveTakenEffect, let idempotencyKey = error.idempotencyKey else { throw error }
        try await Task.sleep(for: error.retryAfter ?? .seconds(5))
        // The server returns the key of the first attempt if the attempt reached the server.
        return try await keys.create(draft, idempotencyKey: idempotencyKey)
    }
    // snippet.end
}
