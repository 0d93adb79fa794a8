import JSON

extension Clerk {
    /// The keys of the application's users and organizations: getAll, create, revoke.
    ///
    /// With the session token of a user as the credential, the subject is the active organization, or else the user,
    /// unless it is named. With an admin key the subject has to be named.
    ///
    /// ```swift
    /// let key = try await client.apiKeys.create(name: "My key", secondsUntilExpiration: 86_400)
    /// print(key.id)
    /// ```
    public struct APIKeysManager: Sendable {
        let transport: Transport

        /// A page of the keys that are neither revoked nor expired, newest first.
        ///
        /// ```swift
        /// let page = try await client.apiKeys.getAll(query: "report", pageSize: 20)
        /// print(page.data.map(\.name), page.totalCount)
        /// ```
        ///
        /// - Parameters:
        ///   - subject: the user or organization whose keys are wanted.
        ///   - query: only those with this text in the name.
        ///   - initialPage: which page, from 1 on.
        ///   - pageSize: how many keys a page has, 1 to 100.
        /// - Returns: The page.
        /// - Throws: `MortiseError`.
        public func getAll(
            subject: String? = nil,
            query: String? = nil,
            initialPage: Int = 1,
            pageSize: Int = 10
        ) async throws(MortiseError) -> PaginatedResponse<APIKeyResource> {
            let page = max(initialPage, 1) - 1
            let (offset, isTooLarge) = page.multipliedReportingOverflow(by: max(pageSize, 0))
            let parameters = [
                ("subject", subject), ("query", query), ("limit", "\(pageSize)"),
                ("offset", "\(isTooLarge ? Int.max : offset)"),
            ]
            let items = parameters.compactMap { item in item.1.map { (name: item.0, value: $0) } }
            return try await transport.read(.get(path(), query: items).of(.clerk))
        }

        /// Makes a key.
        ///
        /// The dialect has no idempotency key, so the call is not repeated once it was sent.
        ///
        /// ```swift
        /// let key = try await client.apiKeys.create(
        ///     name: "My API key",
        ///     secondsUntilExpiration: 86_400,
        ///     description: "API key for third-party service"
        /// )
        /// try key.secret?.reveal().write(toFile: "api.key", atomically: true, encoding: .utf8)
        /// ```
        ///
        /// - Parameters:
        ///   - name: the name, 3 characters at least, unique for the subject.
        ///   - subject: the user or organization that gets it.
        ///   - secondsUntilExpiration: after how long it expires; never when absent.
        ///   - description: what it is for, 255 characters at most.
        /// - Returns: The key with its `secret`, which is shown this once.
        /// - Throws: `MortiseError`.
        public func create(
            name: String,
            subject: String? = nil,
            secondsUntilExpiration: Double? = nil,
            description: String? = nil
        ) async throws(MortiseError) -> APIKeyResource {
            // JSON has no infinity; leaving it out would make a key that never expires.
            guard secondsUntilExpiration?.isFinite ?? true else {
                throw MortiseError(.invalidRequest, "secondsUntilExpiration is not a finite number; nothing was sent.")
            }
            var body = JSONObject()
            body.add("type", "api_key")
            body.add("name", name)
            body.add("subject", subject)
            body.add("description", description)
            body["seconds_until_expiration"] = secondsUntilExpiration.map { JSONContent.number($0).value }
            return try await transport.read(.post(path(), body).of(.clerk))
        }

        /// Revokes a key at once and for good.
        ///
        /// ```swift
        /// let key = try await client.apiKeys.revoke(
        ///     apiKeyID: "ak_0198c0de00007000800000000000000a",
        ///     revocationReason: "No longer needed"
        /// )
        /// print(key.isRevoked)
        /// ```
        ///
        /// - Parameters:
        ///   - apiKeyID: the key's id.
        ///   - revocationReason: why, for people.
        /// - Returns: The key as it is now.
        /// - Throws: `MortiseError`.
        public func revoke(
            apiKeyID: String,
            revocationReason: String? = nil
        ) async throws(MortiseError) -> APIKeyResource {
            var body = JSONObject()
            body.add("revocation_reason", revocationReason)
            return try await transport.read(.post(path(apiKeyID, "revoke"), body).of(.clerk))
        }

        private func path(_ more: String...) -> [String] {
            let place = transport.workspace.map { ["clerk", "workspaces", $0] } ?? ["clerk"]
            return place + ["api_keys"] + more
        }
    }
}
