import JSON

extension Mortise {
    /// Signs a member in and returns a client with the member's session.
    ///
    /// Requires no credential. The access token lasts some minutes and is renewed when needed, by one request however
    /// many calls wait for it. The call is retried only if nothing was sent.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ConnectToMortise", slice: "sign-in")
    ///
    /// - Parameters:
    ///   - email: The e-mail address of the member.
    ///   - password: The password of the member.
    ///   - organization: The id or slug of the organization to work in. `nil` means the organization that the member
    ///     has been in longest.
    /// - Returns: A client of the same server, with the same options, whose credential is the session.
    /// - Throws: ``MortiseError``, with the reason `.unauthenticated` if the address or the password is wrong, or
    ///   `.rateLimited` after too many attempts.
    public func signIn(
        email: String,
        password: SecretToken,
        organization: String? = nil
    ) async throws(MortiseError) -> Mortise {
        var body = JSONObject()
        body.add("email", email)
        body.add("password", password.reveal())
        body.add("organization", organization)
        let anonymous = transport.with(credential: nil)
        let tokens: SessionTokens = try await anonymous.read(.post(["v1", "sessions"], body))
        return Mortise(transport: transport.with(credential: .session(SessionKeeper(tokens, transport: anonymous))))
    }

    /// Ends the session of the client.
    ///
    /// Requires a member's session. The tokens of the session stop working at once.
    ///
    /// - Throws: ``MortiseError``, with the reason `.forbidden` if the credential is a key.
    public func signOut() async throws(MortiseError) {
        try await transport.run(.delete(["v1", "sessions", "current"]))
    }

    /// Lists the sessions of the signed-in member that have not ended, newest first, at most 100.
    ///
    /// Requires a member's session.
    ///
    /// - Returns: The sessions.
    /// - Throws: ``MortiseError``, with the reason `.forbidden` if the credential is a key.
    public func sessions() async throws(MortiseError) -> [SessionSummary] {
        let list: SessionList = try await transport.read(.get(["v1", "me", "sessions"]))
        return list.sessions
    }

    /// Ends a session of the signed-in member.
    ///
    /// Requires a member's session. The call is retried only if nothing was sent.
    ///
    /// - Parameter id: The id of the session.
    /// - Throws: ``MortiseError``, with the reason `.notFound` if the member has no such session.
    public func endSession(_ id: String) async throws(MortiseError) {
        try await transport.run(.delete(["v1", "me", "sessions", id]))
    }

    /// Ends the sessions of the signed-in member, except the one of the client.
    ///
    /// Requires a member's session. The call is retried only if nothing was sent.
    ///
    /// - Returns: The number of sessions that ended.
    /// - Throws: ``MortiseError``, with the reason `.forbidden` if the credential is a key.
    public func endOtherSessions() async throws(MortiseError) -> Int {
        let ended: EndedSessions = try await transport.read(.delete(["v1", "me", "sessions"]))
        return ended.count
    }

    /// Changes the password of the signed-in member.
    ///
    /// Requires a member's session. The other sessions of the member end. The call is retried only if nothing was sent.
    ///
    /// - Parameters:
    ///   - current: The current password. A wrong one is a fault of the request, and counts as a failed attempt to sign
    ///     in.
    ///   - new: The new password, 12 to 256 characters.
    /// - Throws: ``MortiseError``, with the reason `.invalidRequest` if a password is wrong or too short, or
    ///   `.forbidden` if the credential is a key.
    public func changePassword(current: SecretToken, new: SecretToken) async throws(MortiseError) {
        let body: JSONObject = [
            "current_password": .string(current.reveal()), "new_password": .string(new.reveal()),
        ]
        try await transport.run(.put(["v1", "me", "password"], body))
    }

    /// Gets the identity and the permissions of the credential.
    ///
    /// Works with any credential.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ConnectToMortise", slice: "identity")
    ///
    /// - Returns: The identity.
    /// - Throws: ``MortiseError``, with the reason `.unauthenticated` if the server does not accept the credential.
    public func me() async throws(MortiseError) -> Identity {
        try await transport.read(.get(["v1", "me"]))
    }
}
