import JSON

extension Mortise {
    /// Signs a member in.
    ///
    /// The client that is returned calls as the member, and so do its Fluxbase managers. Its access token lasts for
    /// minutes and is renewed as needed, by one request however many calls wait for it.
    ///
    /// ```swift
    /// let anybody = Mortise(url: try ServerURL("https://keys.example.com"), credential: nil)
    /// let ada = try await anybody.signIn(email: "ada@example.com", password: SecretToken("correct horse battery"))
    /// let keys = try await ada.management.clientKeys.list()
    /// print(keys.total)
    /// try await ada.signOut()
    /// ```
    ///
    /// - Parameters:
    ///   - email: the member's e-mail address.
    ///   - password: the member's password.
    ///   - organization: the id or slug of the organization to work in; the first of the member's when absent.
    /// - Returns: A client of the same server, with the member's session as its credential.
    /// - Throws: `MortiseError`.
    public func signIn(
        email: String,
        password: SecretToken,
        organization: String? = nil
    ) async throws(MortiseError) -> Mortise {
        var body = JSONObject()
        body.add("email", email)
        body.add("password", password.reveal())
        body.add("organization", organization)
        let nobody = transport.with(credential: nil)
        let tokens: SessionTokens = try await nobody.read(.post(["v1", "sessions"], body))
        return Mortise(transport: transport.with(credential: .session(SessionKeeper(tokens, transport: nobody))))
    }

    /// Ends the session that is the client's credential; its tokens stop working at once.
    ///
    /// ```swift
    /// try await client.signOut()
    /// ```
    public func signOut() async throws(MortiseError) {
        try await transport.run(.delete(["v1", "sessions", "current"]))
    }

    /// Changes the password of the member whose session is the client's credential; the member's other sessions end.
    ///
    /// ```swift
    /// let old = SecretToken("correct horse battery")
    /// let ada = try await client.signIn(email: "ada@example.com", password: old)
    /// try await ada.changePassword(current: old, new: SecretToken("staple that horse again"))
    /// ```
    ///
    /// - Parameters:
    ///   - current: the password until now. A wrong one is a fault of the request, and limited like a wrong one of a
    ///     sign-in.
    ///   - new: the password from now on, 12 to 256 characters.
    /// - Throws: `MortiseError`, with the reason `.forbidden` where the credential is a key, which has no password.
    public func changePassword(current: SecretToken, new: SecretToken) async throws(MortiseError) {
        let body: JSONObject = [
            "current_password": .string(current.reveal()), "new_password": .string(new.reveal()),
        ]
        try await transport.run(.put(["v1", "me", "password"], body))
    }

    /// Who the client calls as.
    ///
    /// ```swift
    /// let me = try await client.me()
    /// print(me.user?.email ?? me.name ?? "", me.permissions)
    /// ```
    public func me() async throws(MortiseError) -> Me {
        try await transport.read(.get(["v1", "me"]))
    }

    /// Whoever a credential stands for.
    ///
    /// ```swift
    /// let me = try await client.me()
    /// if let user = me.user {
    ///     print(user.email, me.memberships.map(\.role.rawValue), "in the session", me.sessionID ?? "")
    /// } else {
    ///     print(me.type, me.keyID ?? "", me.name ?? "", "of", me.organizationID ?? "the platform")
    /// }
    /// if !me.permissions.contains("keys:write") { print("This credential makes no keys.") }
    /// ```
    public struct Me: Sendable, Hashable {
        /// `operator_key`, `admin_key` or `member`.
        public let type: String
        /// The key's id; `nil` for members.
        public let keyID: String?
        /// The key's or the person's name.
        public let name: String?
        /// The organization to work in; `nil` for operator keys.
        public let organizationID: String?
        /// What is permitted; for a member of single workspaces, in some of them at least.
        public let permissions: [String]
        /// The member's session.
        public let sessionID: String?
        /// The person; `nil` for keys.
        public let user: User?
        /// What the person may do in the organization.
        public let memberships: [Member]
    }
}

extension Mortise.Me: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        type = try answer.text("type")
        keyID = try answer.textIfAny("key_id")
        name = try answer.textIfAny("name")
        organizationID = try answer.textIfAny("organization_id")
        permissions = try answer.texts("permissions")
        sessionID = try answer.textIfAny("session_id")
        user = try answer.objectIfAny("user")
        memberships = try answer.objects("memberships")
    }
}
