import JSON

extension Boltz {
    /// The manager of the keys of all workspaces of an organization: create, list, revoke.
    ///
    /// The credential is an admin key.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "boltz-create")
    public struct APIKeysManager: Sendable {
        let transport: Transport

        /// Creates a key of a workspace.
        ///
        /// Requires the permission `keys:write`. The call is retried under its idempotency key.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "boltz-create")
        ///
        /// - Parameters:
        ///   - name: The name, 1 to 255 characters.
        ///   - allowedIPs: The IP addresses and CIDR ranges from which the key works, at most 100. `nil` means all.
        ///   - expiresInDays: The number of days until the key expires, 1 to 365. `nil` means never.
        ///   - mode: The mode of the key. `nil` means live.
        ///   - workspaceID: The id of the workspace of the key. `nil` means the default workspace.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The key and its token. No later response contains the token.
        /// - Throws: ``MortiseError``, for example with the reason `.notFound` if the workspace does not exist.
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

        /// Lists the keys, newest first.
        ///
        /// Requires the permission `keys:read`. The list has revoked keys and admin keys, too. With `beforeID`, the
        /// pages run backwards, and the keys of each page are in the order of the list.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "boltz-list")
        ///
        /// - Parameters:
        ///   - afterID: The id of the key after which the list begins.
        ///   - beforeID: The id of the key before which the list ends.
        ///   - limit: The number of keys per page, 1 to 100. `nil` means 100.
        ///   - workspaceID: The id of the workspace of the keys. `nil` means all workspaces.
        /// - Returns: The keys.
        public func list(
            afterID: String? = nil,
            beforeID: String? = nil,
            limit: Int? = nil,
            workspaceID: String? = nil
        ) -> PageSequence<APIKey> {
            let direction: Direction = beforeID == nil ? .forwards : .backwards
            let filters = [
                ("limit", limit.map(String.init)), ("workspace_id", workspaceID),
                ("after_id", direction == .backwards ? afterID : nil),
            ]
            let query = filters.compactMap { item in item.1.map { (name: item.0, value: $0) } }
            let path = path()
            return PageSequence(start: beforeID ?? afterID) { [transport] cursor throws(MortiseError) in
                let position = cursor.map { [(name: direction.cursorParameter, value: $0)] } ?? []
                let call = Call.get(path, query: query + position).of(.boltz)
                return try await transport.read(call) { body throws(AnswerFault) in
                    let answer = try AnswerReader(body)
                    let items: [APIKey] = try answer.objects("data")
                    let hasMore = try answer.bool("has_more")
                    let next = try answer.textIfAny(direction.nextCursor)
                    return Page(items: items, next: hasMore && !items.isEmpty ? next : nil)
                }
            }
        }

        /// Revokes a key at once and forever.
        ///
        /// Requires the permission `keys:write`. Revoking a revoked key returns the key. The call is retried only if
        /// nothing was sent.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "boltz-revoke")
        ///
        /// - Parameter apiKeyID: The id of the key, as ``list(afterID:beforeID:limit:workspaceID:)`` returns it.
        /// - Returns: The key, which is no longer active.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func revoke(_ apiKeyID: String) async throws(MortiseError) -> APIKey {
            try await transport.read(.post(path(apiKeyID, "revoke")).of(.boltz))
        }

        private func path(_ more: String...) -> [String] { ["compute", "v1", "admin", "api-keys"] + more }
    }

    /// The direction in which a list is read.
    private enum Direction {
        case forwards
        case backwards

        /// The parameter of the request that has the cursor.
        var cursorParameter: String {
            switch self {
            case .forwards: "after_id"
            case .backwards: "before_id"
            }
        }

        /// The member of the response that has the next cursor.
        var nextCursor: String {
            switch self {
            case .forwards: "last_id"
            case .backwards: "first_id"
            }
        }
    }
}
