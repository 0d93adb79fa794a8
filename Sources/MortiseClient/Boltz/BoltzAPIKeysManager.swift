import JSON

extension Boltz {
    /// The keys of all workspaces of the organization: create, list, revoke.
    ///
    /// ```swift
    /// let created = try await client.admin.apiKeys.create(name: "x")
    /// let revoked = try await client.admin.apiKeys.revoke(created.keyDetails.id)
    /// print(revoked.isActive)
    /// ```
    public struct APIKeysManager: Sendable {
        let transport: Transport

        /// Makes a key of a workspace.
        ///
        /// ```swift
        /// let created = try await client.admin.apiKeys.create(
        ///     name: "x",
        ///     allowedIPs: ["203.0.113.7", "2001:db8::/32"],
        ///     expiresInDays: 90
        /// )
        /// try created.key.reveal().write(toFile: "x.key", atomically: true, encoding: .utf8)
        /// ```
        ///
        /// - Parameters:
        ///   - name: the name, 1 to 255 characters.
        ///   - allowedIPs: the addresses and ranges from which it works; all when absent.
        ///   - expiresInDays: after how many days it expires, 1 to 365; never when absent.
        ///   - mode: for production, which is the default, or for tests.
        ///   - workspaceID: the workspace that gets it; the default one when absent.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The key and its token, which is shown this once.
        /// - Throws: `MortiseError`.
        public func create(
            name: String,
            allowedIPs: [String]? = nil,
            expiresInDays: Int? = nil,
            mode: Mode? = nil,
            workspaceID: String? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> CreatedAPIKey {
            var body = JSONObject()
            body.add("name", name)
            body.add("allowed_ips", allowedIPs)
            body.add("expires_in_days", expiresInDays)
            body.add("mode", mode?.rawValue)
            body.add("workspace_id", workspaceID)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(), body, idempotencyKey: key).of(.boltz))
        }

        /// The keys, newest first; pages are read as the iteration needs them.
        ///
        /// With `beforeID` the pages run backwards from there, the nearest first; inside a page the order stays.
        ///
        /// ```swift
        /// for try await key in client.admin.apiKeys.list(limit: 20) { print(key.id, key.name) }
        /// ```
        ///
        /// - Parameters:
        ///   - afterID: only those after the key with this id.
        ///   - beforeID: only those before the key with this id.
        ///   - limit: how many are read at once, 1 to 100; 100 when absent.
        ///   - workspaceID: only those of this workspace.
        /// - Returns: The list.
        public func list(
            afterID: String? = nil,
            beforeID: String? = nil,
            limit: Int? = nil,
            workspaceID: String? = nil
        ) -> PageSequence<APIKey> {
            let isBackwards = beforeID != nil
            let fixed = [
                ("limit", limit.map(String.init)), ("workspace_id", workspaceID),
                ("after_id", isBackwards ? afterID : nil),
            ]
            let query = fixed.compactMap { item in item.1.map { (name: item.0, value: $0) } }
            let path = path()
            return PageSequence(start: beforeID ?? afterID) { [transport] cursor throws(MortiseError) in
                let position = cursor.map { [(name: isBackwards ? "before_id" : "after_id", value: $0)] } ?? []
                let call = Call.get(path, query: query + position).of(.boltz)
                return try await transport.read(call) { body throws(AnswerFault) in
                    let answer = try AnswerReader(body)
                    let items: [APIKey] = try answer.objects("data")
                    let hasMore = try answer.bool("has_more")
                    let next = try answer.textIfAny(isBackwards ? "first_id" : "last_id")
                    return Page(items: items, next: hasMore && !items.isEmpty ? next : nil)
                }
            }
        }

        /// Revokes a key at once and for good.
        ///
        /// ```swift
        /// let key = try await client.admin.apiKeys.revoke("api_key_0a1b2c3d0198c0de00007000800000000000000a")
        /// print(key.isActive)
        /// ```
        public func revoke(_ apiKeyID: String) async throws(MortiseError) -> APIKey {
            try await transport.read(.post(path(apiKeyID, "revoke")).of(.boltz))
        }

        private func path(_ more: String...) -> [String] { ["compute", "v1", "admin", "api-keys"] + more }
    }
}
