import FoundationEssentials
import Keys
import Logging
import People
import Tenancy

/// Signs members in with an OpenID provider: the authorization code flow with PKCE (OpenID Connect Core section 3.1).
public struct ProviderSignIn: Sendable {
    let context: ServiceDependencies
    let sessions: SessionService
    let provider: IdentityProvider
    let discovery: ProviderDiscovery
    let codes: CodeExchange

    init(
        _ provider: IdentityProvider,
        context: ServiceDependencies,
        sessions: SessionService,
        exchange: @escaping OutboundExchange,
        elapsed: @escaping @Sendable () -> Duration
    ) {
        self.context = context
        self.sessions = sessions
        self.provider = provider
        discovery = ProviderDiscovery(provider, exchange: exchange, elapsed: elapsed, logger: context.logger)
        codes = CodeExchange(provider: provider, exchange: exchange)
    }

    /// The name of the provider, as the button has it.
    public var name: String { provider.name }

    /// The origins to which a sign-in leads a browser: that of the issuer, and that of its sign-in page if it is known.
    public var origins: [String] {
        let urls = [provider.issuer] + [discovery.current?.metadata.authorizationEndpoint].compactMap(\.self)
        return Array(Set(urls.compactMap(TrustedURL.origin))).sorted()
    }

    /// The lifetime of a sign-in's cookie, in seconds.
    public static var lifetime: Int { Int(SignInFlow.lifetime.components.seconds) }

    /// A sign-in that begins.
    public struct Start: Sendable {
        /// The provider's page.
        public let location: String
        /// The value of the cookie that binds the sign-in to the browser.
        public let cookie: String
    }

    /// Begins a sign-in.
    ///
    /// - Parameters:
    ///   - redirect: The URL of the console to which the provider sends the browser back.
    ///   - next: The page of the console that the person wants.
    /// - Returns: The provider's page and a cookie.
    /// - Throws: `ProviderRefusal.unusable` if the provider cannot be read; `Refusal.unavailable`, and the database's errors.
    public func begin(redirect: String, next: String) async throws -> Start {
        let metadata = try await found().metadata
        let flow = SignInFlow(next: next, at: try await context.time(), context.randomness)
        let query = FormText.encode([
            (name: "response_type", value: "code"), (name: "client_id", value: provider.clientID),
            (name: "redirect_uri", value: redirect), (name: "scope", value: "openid email profile"),
            (name: "state", value: flow.state(sessions.signer)), (name: "nonce", value: flow.nonce(sessions.signer)),
            (name: "code_challenge", value: flow.challenge), (name: "code_challenge_method", value: "S256"),
        ])
        let separator = metadata.authorizationEndpoint.contains("?") ? "&" : "?"
        return Start(
            location: metadata.authorizationEndpoint + separator + query,
            cookie: flow.cookie(sessions.signer)
        )
    }

    /// The parameters of the provider's answer, which come through the browser.
    public struct Callback: Sendable {
        var code: String?
        var state: String?
        var issuer: String?
        var error: String?

        /// Creates the parameters.
        ///
        /// - Parameters:
        ///   - code: The code; `nil` for an error.
        ///   - state: The state.
        ///   - issuer: The value of `iss` (RFC 9207), if the provider sent it.
        ///   - error: The error; `nil` for a code.
        public init(code: String?, state: String?, issuer: String?, error: String?) {
            self.code = code
            self.state = state
            self.issuer = issuer
            self.error = error
        }
    }

    /// A sign-in that succeeded.
    public struct Completion: Sendable {
        /// The value of the session's cookie.
        public let cookie: String
        /// The page of the console that the person wanted.
        public let next: String
    }

    /// Completes a sign-in, once.
    ///
    /// - Parameters:
    ///   - callback: The parameters of the provider's answer.
    ///   - cookie: The cookie of the browser that brings it.
    ///   - redirect: The URL to which the provider sent the browser back.
    ///   - origin: The request's origin.
    /// - Returns: A session, and the page that the person wanted.
    /// - Throws: `ProviderRefusal`; `Refusal.tooManyAttempts` after too many refused ones from there; `Refusal.unavailable`, and the
    ///   database's errors.
    public func complete(
        _ callback: Callback,
        cookie: String?,
        redirect: String,
        from origin: RequestOrigin
    ) async throws -> Completion {
        let signer = sessions.signer
        guard let cookie, let state = callback.state,
            let flow = SignInFlow(cookie: cookie, signer), flow.has(state: state, signer),
            try await context.time() < flow.expiresAt
        else { throw ProviderRefusal.stale }
        return try await limiting(state, from: origin) {
            // A copy of the cookie and the address must be worth nothing, whatever the provider does with a code that comes twice.
            let isFirst = try await context.changeControl(.gives) {
                try await context.people(in: $0).useOnce("oidc \(state)", until: flow.expiresAt)
            }
            guard isFirst else { throw ProviderRefusal.stale }
            let person = try await person(callback, flow, redirect)
            return Completion(cookie: try await begin(person, from: origin), next: flow.next)
        }
    }

    /// Counts a sign-in that is refused like a wrong password from the same address, and records it.
    ///
    /// Anybody can begin sign-ins and bring codes that are made up, each of which costs a row and an exchange with the provider. Each
    /// sign-in is an account of its own here, so only the limit of the address applies.
    private func limiting(
        _ state: String,
        from origin: RequestOrigin,
        _ complete: () async throws -> Completion
    ) async throws -> Completion {
        var refusal = ProviderRefusal.stale
        let completion: Completion?
        do {
            completion = try await sessions.guesses.counting(account: "oidc \(state)", from: origin.address) {
                () async throws -> Completion? in
                do {
                    return try await complete()
                } catch let error as ProviderRefusal {
                    refusal = error
                    return nil
                }
            }
        } catch let error as Refusal {
            if case .tooManyAttempts = error { await sessions.record(.tooManyAttempts, from: origin) }
            throw error
        }
        guard let completion else {
            switch refusal {
            case .stale, .declined, .unusable: await sessions.record(.notCompleted, from: origin)
            // They are about an account, and have been recorded for it.
            case .unverified, .unknown, .otherSubject: break
            }
            throw refusal
        }
        return completion
    }

    /// Ends a read of the provider that is under way.
    func shutdown() async { await discovery.shutdown() }

    // MARK: The provider's word

    private func found(for token: CompactJWS? = nil) async throws(ProviderRefusal) -> ProviderDiscovery.Found {
        do throws(Refusal) {
            guard let token else { return try await discovery.provider() }
            return try await discovery.provider(of: token)
        } catch {
            throw .unusable
        }
    }

    /// Returns the person for whom the provider vouches.
    private func person(_ callback: Callback, _ flow: SignInFlow, _ redirect: String) async throws -> ProviderPerson {
        let metadata = try await found().metadata
        // A code of another provider must not be sent to this one's, nor the other way round (RFC 9207 section 2.4).
        guard callback.issuer == provider.issuer || (callback.issuer == nil && !metadata.namesIssuer) else {
            throw fault("the answer names another issuer, or none")
        }
        if let error = callback.error { throw ProviderRefusal.declined(CodeExchange.errorCode(error)) }
        guard let code = callback.code, (1...4096).contains(code.utf8.count) else {
            throw ProviderRefusal.declined(nil)
        }
        do {
            let tokens = try await codes.tokens(for: code, verifier: flow.verifier, redirect: redirect, metadata)
            let provider = try await found(for: tokens.idToken)
            let token = try await IDToken(
                verifying: tokens.idToken,
                by: provider,
                of: self.provider,
                nonce: { flow.has(nonce: $0, sessions.signer) },
                at: try await context.time()
            )
            return ProviderPerson(subject: token.subject, token: token.email) {
                do {
                    return try await codes.email(of: token.subject, tokens, metadata)
                } catch {
                    throw fault("\(error)")
                }
            }
        } catch let refusal as ProviderRefusal {
            throw refusal
        } catch let refusal as Refusal {
            // The database did not tell the time, which is no fault of the provider.
            throw refusal
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw fault("\(error)")
        }
    }

    /// Logs the rule that the provider broke.
    private func fault(_ reason: String) -> ProviderRefusal {
        context.logger.warning(
            "a sign-in with the identity provider failed",
            metadata: ["issuer": "\(provider.issuer)", "reason": "\(reason)"]
        )
        return .unusable
    }
}

/// A person for whom the provider vouches.
struct ProviderPerson: Sendable {
    /// The subject.
    let subject: String
    /// The address in the ID token.
    let token: ProviderEmail?
    /// Asks the provider for the address.
    let ask: @Sendable () async throws -> ProviderEmail?

    init(subject: String, token: ProviderEmail?, ask: @escaping @Sendable () async throws -> ProviderEmail?) {
        self.subject = subject
        self.token = token
        self.ask = ask
    }

    /// Returns the address: that of the ID token, or the one that the provider gives besides it.
    func email() async throws -> ProviderEmail? {
        if let token { return token }
        return try await ask()
    }
}
