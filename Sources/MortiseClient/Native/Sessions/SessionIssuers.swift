import JSON

extension Mortise {
    /// The calls for the session issuers of an organization.
    ///
    /// All require an operator key.
    public struct SessionIssuers: Sendable {
        let transport: Transport
        let organization: String

        /// Lists the session issuers, newest first.
        ///
        /// Requires an operator key.
        ///
        /// - Parameter limit: The number of session issuers per page, 1 to 100.
        /// - Returns: The session issuers.
        public func list(limit: Int = 50) -> PageSequence<SessionIssuer> {
            transport.list(path(), [], limit: limit)
        }

        /// Adds a session issuer: the server accepts its sessions from now on.
        ///
        /// Requires an operator key. A session issuer belongs to one organization of the server. The call is retried
        /// under its idempotency key.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "add-issuer")
        ///
        /// - Parameters:
        ///   - issuer: The exact value of the claim `iss` of the session tokens.
        ///   - keys: The source of the public keys.
        ///   - algorithms: The accepted signature algorithms, which must be asymmetric. `nil` means `RS256`.
        ///   - authorizedParties: The accepted values of the claim `azp`, usually the origins of your pages. An empty
        ///     array accepts all.
        ///   - audiences: The accepted values of the claim `aud`. With an empty array, a token that has the claim is
        ///     refused.
        ///   - readRoles: The roles that can read the keys of the application's organizations.
        ///   - manageRoles: The roles that can read, create and revoke those keys. `nil` means `admin`, and an empty
        ///     array means no role.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The session issuer.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if an organization has the issuer
        ///   already.
        public func add(
            issuer: String,
            keys: SessionIssuer.KeySource,
            algorithms: [String]? = nil,
            authorizedParties: [String] = [],
            audiences: [String] = [],
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
            if !audiences.isEmpty { body.add("audiences", audiences) }
            if !readRoles.isEmpty { body.add("read_roles", readRoles) }
            body.add("manage_roles", manageRoles)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(), body, idempotencyKey: key))
        }

        /// Removes a session issuer: the server refuses its sessions from now on.
        ///
        /// Requires an operator key. The keys of its users keep working. The call is retried only if nothing was sent.
        ///
        /// - Parameter id: The id of the session issuer.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the session issuer does not exist.
        public func remove(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(path(id)))
        }

        private func path(_ more: String...) -> [String] {
            ["v1", "organizations", organization, "session-issuers"] + more
        }
    }
}
