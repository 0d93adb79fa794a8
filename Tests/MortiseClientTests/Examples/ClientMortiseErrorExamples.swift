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

    static func example2(_ client: Mortise) async {
        do {
            _ = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: ""))
        } catch {
            for fault in error.faults { print(fault.place ?? "", fault.detail) }
        }
    }

    static func example3() {
        func isWorthTryingLater(_ error: MortiseError) -> Bool {
            [.unavailable, .rateLimited, .unreachable, .timedOut].contains(error.reason)
        }
    }
}
