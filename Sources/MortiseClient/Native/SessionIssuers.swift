import JSON

extension Mortise {
    /// The session issuers of an organization; they need the operator key.
    ///
    /// ```swift
    /// let issuers = client.sessionIssuers(of: "acme")
    /// for try await issuer in issuers.list() where issuer.issuer == "https://old.example.com" {
    ///     try await issuers.remove(issuer.id)
    /// }
    /// ```
    public struct SessionIssuers: Sendable {
        let transport: Transport
        let organization: String

        /// The session issuers, newest first.
        ///
        /// ```swift
        /// for try await issuer in client.sessionIssuers(of: "acme").list() { print(issuer.issuer) }
        /// ```
        ///
        /// - Parameter limit: how many are read at once, 1 to 100.
        /// - Returns: The list.
        public func list(limit: Int = 50) -> PageSequence<SessionIssuer> {
            transport.list(path(), [], limit: limit)
        }

        /// Believes an issuer's sessions from now on.
        ///
        /// An issuer belongs to one organization of the platform; a second one is refused with the reason `.conflict`.
        ///
        /// ```swift
        /// let issuers = client.sessionIssuers(of: "acme")
        /// let issuer = try await issuers.add(
        ///     issuer: "https://clerk.example.com",
        ///     keys: .url("https://clerk.example.com/.well-known/jwks.json"),
        ///     authorizedParties: ["https://app.example.com"],
        ///     readRoles: ["member"]
        /// )
        /// print(issuer.id)
        /// ```
        ///
        /// - Parameters:
        ///   - issuer: what its tokens say in `iss`, to the letter.
        ///   - keys: where its public keys are.
        ///   - algorithms: the signature algorithms to accept, asymmetric ones only; `RS256` when absent.
        ///   - authorizedParties: what `azp` has to be one of, as a rule the origins of your pages; not looked at
        ///     when empty.
        ///   - readRoles: the roles that see the keys of the application's organizations.
        ///   - manageRoles: the roles that also make and revoke them; `admin` when absent, nobody when empty.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The issuer.
        /// - Throws: `MortiseError`.
        public func add(
            issuer: String,
            keys: SessionIssuer.KeySource,
            algorithms: [String]? = nil,
            authorizedParties: [String] = [],
            readRoles: [String] = [],
            manageRoles: [String]? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> SessionIssuer {
            var body = JSONObject()
            body.add("issuer", issuer)
            switch keys {
            case .url(let url): body.add("jwks_url", url)
            case .file(let path): body.add("jwks_file", path)
            case .inline(let set): body["jwks"] = .object(JSONContent.object(set))
            }
            body.add("algorithms", algorithms)
            if !authorizedParties.isEmpty { body.add("authorized_parties", authorizedParties) }
            if !readRoles.isEmpty { body.add("read_roles", readRoles) }
            body.add("manage_roles", manageRoles)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(), body, idempotencyKey: key))
        }

        /// Believes an issuer's sessions no longer; those that it has issued end with it.
        ///
        /// ```swift
        /// try await client.sessionIssuers(of: "acme").remove("0198c0de-0000-7000-8000-000000000001")
        /// ```
        public func remove(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(path(id)))
        }

        private func path(_ more: String...) -> [String] {
            ["v1", "organizations", organization, "session-issuers"] + more
        }
    }
}
