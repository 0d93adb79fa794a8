import JSON

/// Keeps the tokens of one session and renews them.
///
/// A refresh token works once, and a second use ends the session. So only one renewal runs at a time, and every call
/// that needs a token waits for it. The renewal is not cancelled with the call that started it, but by the timeout of
/// its transport. A waiting call can be cancelled.
actor SessionKeeper {
    private typealias Waiter = AsyncThrowingStream<SecretToken, any Error>.Continuation

    private enum State {
        /// No renewal runs.
        case idle(SessionTokens)
        /// The renewal of these tokens runs.
        case renewing(SessionTokens, waiters: [Waiter])
    }

    private var state: State
    private let transport: Transport

    init(_ tokens: SessionTokens, transport: Transport) {
        state = .idle(tokens)
        self.transport = transport
    }

    /// Returns the access token.
    ///
    /// Renews it first if it ends soon or is `rejected`.
    ///
    /// - Parameter rejected: The token that the server has just refused.
    /// - Returns: An access token other than `rejected`.
    /// - Throws: ``MortiseError`` if the session has ended or the server does not respond. `CancellationError`, at
    ///   once, if the task is cancelled while it waits.
    func token(_ rejected: SecretToken?) async throws -> SecretToken {
        if case .idle(let tokens) = state, .now < tokens.renewal, rejected != tokens.access { return tokens.access }
        let (renewed, waiter) = AsyncThrowingStream<SecretToken, any Error>.makeStream()
        switch state {
        case .idle(let tokens):
            state = .renewing(tokens, waiters: [waiter])
            Task { await renew(tokens) }
        case .renewing(let tokens, let waiters):
            state = .renewing(tokens, waiters: waiters + [waiter])
        }
        for try await token in renewed { return token }
        throw CancellationError()
    }

    private func renew(_ tokens: SessionTokens) async {
        let outcome: Result<SessionTokens, any Error>
        do {
            let body: JSONObject = ["refresh_token": .string(tokens.refresh.reveal())]
            outcome = .success(try await transport.read(.post(["v1", "sessions", "refresh"], body)))
        } catch {
            outcome = .failure(error)
        }
        guard case .renewing(_, let waiters) = state else { return }
        state = .idle((try? outcome.get()) ?? tokens)
        for waiter in waiters {
            waiter.yield(with: outcome.map(\.access))
            waiter.finish()
        }
    }
}

extension Credential {
    /// Creates a credential with the access token of a session, which is renewed as needed.
    static func session(_ keeper: SessionKeeper) -> Credential {
        Credential { try await keeper.token($0) }
    }
}
