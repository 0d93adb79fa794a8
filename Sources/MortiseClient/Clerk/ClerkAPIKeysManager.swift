import JSON

extension Clerk {
    /// The manager of API keys: getAll, create, revoke.
    ///
    /// The keys are those of the default workspace, or of the workspace of ``Mortise/forWorkspace(_:)``.
    ///
    /// The credential is the session token of a user of the application, or an admin key. With a session token, a call
    /// without a subject is about the active organization of the session, or else about the user. With an admin key, a
    /// call needs a subject, and the permission `keys:read` or `keys:write`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "clerk-create")
    public struct APIKeysManager: Sendable {
        let transport: Transport

        /// Gets a page of the keys that are neither revoked nor expired, newest first.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "clerk-list")
        ///
        /// - Parameters:
        ///   - subject: The id of the user or organization that owns the keys.
        ///   - query: A part of the name.
        ///   - initialPage: The number of the page. The first page is 1.
        ///   - pageSize: The number of keys per page, 1 to 100.
        /// - Returns: The page.
        /// - Throws: ``MortiseError``, for example with the reason `.forbidden` if the session has no access to the
        ///   subject.
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

        /// Creates a key.
        ///
        /// The dialect has no idempotency keys, so the call is retried only if nothing was sent.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "clerk-create")
        ///
        /// - Parameters:
        ///   - name: The name, 3 to 255 characters, unique for the subject. A revoked key keeps its name.
        ///   - subject: The id of the user or organization that owns the key.
        ///   - secondsUntilExpiration: The time until the key expires, in seconds, more than 0. `nil` means never.
        ///   - description: The description, at most 255 characters.
        /// - Returns: The key with its ``APIKeyResource/secret``, which no later response contains.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the name is taken.
        public func create(
            name: String,
            subject: String? = nil,
            secondsUntilExpiration: Double? = nil,
            description: String? = nil
        ) async throws(MortiseError) -> APIKeyResource {
            // JSON has no infinity, and a request without the member would create a key that never expires.
            guard secondsUntilExpiration?.isFinite ?? true else {
                throw MortiseError(.invalidRequest, "secondsUntilExpiration must be a finite number. Nothing was sent.")
            }
            var body = JSONObject()
            body.add("type", "api_key")
            body.add("name", name)
            body.add("subject", subject)
            body.add("description", description)
            body["seconds_until_expiration"] = secondsUntilExpiration.map { JSONContent.number($0).value }
            return try await transport.read(.post(path(), body).of(.clerk))
        }

        /// Revokes a key at once and forever.
        ///
        /// Revoking a revoked key returns the key and keeps the first reason. The call is retried only if nothing was
        /// sent.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "clerk-revoke")
        ///
        /// - Parameters:
        ///   - apiKeyID: The id of the key.
        ///   - revocationReason: The reason, for people, at most 2000 characters.
        /// - Returns: The key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func revoke(
            apiKeyID: String,
            revocationReason: String? = nil
        ) async throws(MortiseError) -> APIKeyResource {
            var body = JSONObject()
            body.add("revocation_reason", revocationReason)
            return try await transport.read(.post(path(apiKeyID, "revoke"), body).of(.clerk))
        }

        private func path(_ more: String...) -> [String] {
            let base = transport.workspace.map { ["clerk", "workspaces", $0] } ?? ["clerk"]
            return base + ["api_keys"] + more
        }
    }
}
