import MortiseClient

/// The examples in `Mortise+Verify.swift`.
enum NativeMortiseVerifyExamples {
    static func example1(_ client: Mortise) async throws {
        let verdict = try await client.verify(SecretToken("mks_live_…"), scopes: ["read:orders"], namespace: "eu")
        print(verdict.isValid, verdict.code.rawValue)
    }

    static func example2(_ client: Mortise) async throws {
        let questions = ["mks_live_…", "mkc_live_…"].map { Mortise.Verification(SecretToken($0)) }
        let verdicts = try await client.verify(questions)
        print(verdicts.count { $0.isValid })
    }

    static func example3(_ client: Mortise) async throws {
        var question = Mortise.Verification(SecretToken("mks_live_…"), scopes: ["write:orders"], mode: .live)
        question.address = "203.0.113.7"
        let verdicts = try await client.verify([question])
        if verdicts[0].code == .wrongAddress { print("Was it stolen?", question.token) }  // (secret)
    }

    static func example4() {
        let question = Mortise.Verification(SecretToken("mks_live_…"), namespace: "eu")
        print(question.scopes.isEmpty)
    }
}
