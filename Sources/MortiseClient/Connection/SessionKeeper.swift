import JSON

/// The tokens of a session.
struct SessionTokens: AnswerReadable {
    let access: SecretToken
    let refresh: SecretToken
    let lifetime: Duration

    init(_ answer: AnswerReader) throws(AnswerFault) {
        access = try answer.token("access_token")
        refresh = try answer.token("refresh_token")
        lifetime = .seconds(try answer.integer("expires_in"))
    }
}

/// Keeps the tokens of one session, and renews them.
///
/// A refresh token works once, and a second use ends the session. So one renewal runs at a time, everybody who needs a token
/// waits for it, and it is not cancelled with whoever asked first; its transport's timeout ends it. Who waits may leave at any time.
actor SessionKeeper {
    private var tokens: SessionTokens
    private var end: ContinuousClock.Instant
    private var isRenewing = false
    /// Those who wait for the renewal.
    private var waiters: [AsyncThrowingStream<SecretToken, any Error>.Continuation] = []
    private let transport: Transport

    /// Renewed this long before its end, an access token does not end on the way to the server.
    private static let margin = Duration.seconds(30)

    init(_ tokens: SessionTokens, transport: Transport) {
        self.tokens = tokens
        self.transport = transport
        end = .now + tokens.lifetime - SessionKeeper.margin
    }

    /// The access token; another than `rejected`, which the server did not accept.
    ///
    /// - Throws: `MortiseError` when the session has ended or the server does not answer, and `CancellationError` at once when the task
    ///   that waits is cancelled.
    func token(_ rejected: SecretToken?) async throws -> SecretToken {
        if !isRenewing, .now < end, rejected != tokens.access { return tokens.access }
        let (renewed, waiter) = AsyncThrowingStream<SecretToken, any Error>.makeStream()
        waiters.append(waiter)
        if !isRenewing {
            isRenewing = true
            Task { await renew() }
        }
        for try await token in renewed { return token }
        throw CancellationError()
    }

    private func renew() async {
        let outcome: Result<SecretToken, any Error>
        do {
            let body: JSONObject = ["refresh_token": .string(tokens.refresh.reveal())]
            let fresh: SessionTokens = try await transport.read(.post(["v1", "sessions", "refresh"], body))
            tokens = fresh
            end = .now + fresh.lifetime - SessionKeeper.margin
            outcome = .success(fresh.access)
        } catch {
            outcome = .failure(error)
        }
        isRenewing = false
        for waiter in waiters {
            waiter.yield(with: outcome)
            waiter.finish()
        }
        waiters = []
    }
}

extension Credential {
    /// The access token of a session, renewed as needed.
    static func session(_ keeper: SessionKeeper) -> Credential {
        Credential { try await keeper.token($0) }
    }
}

extension Transport {
    /// The same with another credential.
    func with(credential: Credential?) -> Transport {
        Transport(url: url, credential: credential, options: options, http: http, workspace: workspace, pause: pause)
    }
}
