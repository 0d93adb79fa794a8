import MortiseClient

/// The examples in `MortiseError.swift`.
enum ClientMortiseErrorExamples {
    static func example1(_ client: Mortise) async throws {
        do {
            let key = try await client.keys(.service(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
            print(key.name)
        } catch let error where error.reason == .notFound {
            print("There is no such key.")
        }
    }

    static func example2(_ client: Mortise) async throws {
        let keys = client.keys(.service(workspace: "shop"))
        let draft = Mortise.KeyDraft(name: "CI")
        do {
            print(try await keys.create(draft).key.id)
        } catch {
            print(error.message, error.status ?? 0, error.code ?? "", "request", error.requestID ?? "unknown")
            for fault in error.faults { print(fault.place ?? "", fault.detail) }
            if let pause = error.retryAfter { try await Task.sleep(for: pause) }
            if error.mayHaveTakenEffect, let key = error.idempotencyKey {
                print(try await keys.create(draft, idempotencyKey: key).key.id)
            }
        }
    }

    static func example3(_ client: Mortise) async {
        do {
            _ = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: ""))
        } catch {
            for fault in error.faults { print(fault.place ?? "", fault.detail) }
        }
    }

    static func example4() {
        func advice(_ error: MortiseError) -> String {
            switch error.reason {
            case .invalidRequest, .conflict: "Ask for something else."
            case .unauthenticated, .noCredential: "Use another token."
            case .forbidden, .notFound: "This token does not reach that."
            case .unavailable, .rateLimited, .unreachable, .timedOut: "Try again later."
            case .cancelled: "Nobody waits for the answer."
            case .refused, .unexpectedAnswer: "Is there a proxy in between?"
            default: error.message
            }
        }
    }
}
