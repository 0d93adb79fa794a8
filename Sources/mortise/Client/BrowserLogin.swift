import Keys
import MortiseClient
import Service

/// A sign-in through the console in the user's browser, with PKCE (RFC 8252, RFC 7636).
struct BrowserLogin {
    /// The time for the person in the browser.
    private static let patience = Duration.seconds(300)

    let url: ServerURL
    let authorities: String?
    let timeout: Duration

    private let verifier = BrowserLogin.random(32)
    private let state = BrowserLogin.random(16)

    init(url: ServerURL, authorities: String?, timeout: Duration) {
        self.url = url
        self.authorities = authorities
        self.timeout = timeout
    }

    /// Prints the address of the console, waits for the person, and begins a session.
    ///
    /// - Throws: `CommandFailure`.
    func run() async throws -> SessionGrant {
        guard !url.text.lowercased().hasPrefix("http+unix:") else {
            throw CommandFailure.usage(
                "A browser cannot open \(url.text).",
                details: ["Name the address of the console with --url."]
            )
        }
        let receiver = try await CodeReceiver.listen(state: state)
        do {
            let grant = try await run(receiver)
            await receiver.close()
            return grant
        } catch {
            await receiver.close()
            throw error
        }
    }

    private func run(_ receiver: CodeReceiver) async throws -> SessionGrant {
        let challenge = SessionService.challenge(of: verifier)
        try Output.error(
            """
            Open this address in a browser on this machine:

              \(url.text)/console/login?port=\(receiver.port)&challenge=\(challenge)&state=\(state)

            Confirm only if the page shows the letters \(SessionService.comparison(of: challenge)).
            """
        )
        let received: String? = try await withTimeLimit(Self.patience) { await receiver.code() } ?? nil
        guard let code = received else {
            throw CommandFailure(
                .refused,
                "Nobody confirmed in the browser within \(Self.patience.components.seconds / 60) minutes.",
                details: ["Run the command again."]
            )
        }
        let client = try ServerClient(url, credential: nil, timeout: timeout, authorities: authorities)
        return
            try await client.answer(
                to: Request { [verifier] client throws(MortiseError) in
                    try await client.beginSession(code: SecretToken(code), verifier: SecretToken(verifier))
                }
            )
            .value
    }

    /// Returns random bytes as hexadecimal digits.
    private static func random(_ bytes: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return Hex.encode((0..<bytes).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
}
