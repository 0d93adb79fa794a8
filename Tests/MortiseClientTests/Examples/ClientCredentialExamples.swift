import MortiseClient

/// The examples in `Credential.swift`.
enum ClientCredentialExamples {
    static func example1() throws {
        let credential = Credential.token(SecretToken("mka_live_…"))
        let client = Mortise(url: try ServerURL("https://keys.example.com"), credential: credential)
        print(client.url.text)
    }

    static func example2() {
        let credential = Credential.token(SecretToken("mka_live_…"))
        print(credential)
    }

    static func example3() async throws {
        let credential = Credential.provided { try await currentSessionToken() }
        print(credential)
    }
}

/// What an application has to ask its session provider.
private func currentSessionToken() async throws -> SecretToken { SecretToken("header.claims.signature") }
