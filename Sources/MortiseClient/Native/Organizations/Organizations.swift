import JSON

extension Mortise {
    /// The calls for organizations.
    ///
    /// Reading works with any credential, and changes require an operator key, but for the notices and the reaction to leaks.
    public struct Organizations: Sendable {
        let transport: Transport

        /// Creates an organization with its default workspace and its first admin key.
        ///
        /// Requires an operator key. When the call returns, the database of the workspace exists and is migrated, which
        /// can take seconds. The call is retried under its idempotency key.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "organization")
        ///
        /// - Parameters:
        ///   - name: The name, 1 to 255 characters.
        ///   - slug: The short name in URLs, 1 to 63 characters. `nil` derives it from the name.
        ///   - tokenPrefix: The prefix of the organization's tokens, a lower-case letter and up to three lower-case
        ///     letters or digits. `nil` means Mortise's own prefixes.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The organization, its workspace, and the admin key with its token. No later response contains the
        ///   token.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the slug is taken.
        public func create(
            name: String,
            slug: String? = nil,
            tokenPrefix: String? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> CreatedOrganization {
            var body = JSONObject()
            body.add("name", name)
            body.add("slug", slug)
            body.add("token_prefix", tokenPrefix)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(["v1", "organizations"], body, idempotencyKey: key))
        }

        /// Lists organizations, newest first.
        ///
        /// Works with any credential. An operator key lists all organizations. Any other credential lists its own.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "organizations")
        ///
        /// - Parameters:
        ///   - query: A part of the name or the slug, 1 to 255 characters.
        ///   - limit: The number of organizations per page, 1 to 100.
        /// - Returns: The organizations.
        public func list(query: String? = nil, limit: Int = 50) -> PageSequence<Organization> {
            transport.list(["v1", "organizations"], [("query", query)], limit: limit)
        }

        /// Gets an organization.
        ///
        /// Works with any credential that has access to it.
        ///
        /// - Parameter organization: The id or slug of the organization.
        /// - Returns: The organization.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the organization does not exist.
        public func get(_ organization: String) async throws(MortiseError) -> Organization {
            try await transport.read(.get(["v1", "organizations", organization]))
        }

        /// Changes the name, the slug, the token prefix, the times of notices or the reaction to leaks of an organization.
        ///
        /// Requires an operator key. For the days of notices and `leakAction`, a credential with `keys:write` and `webhooks:write` in the whole
        /// organization suffices. Existing tokens keep their prefix. The call is retried only if nothing was sent.
        ///
        /// - Parameters:
        ///   - organization: The id or slug of the organization.
        ///   - name: The new name, or `nil` to keep the name.
        ///   - slug: The new slug, or `nil` to keep the slug.
        ///   - tokenPrefix: The change of the prefix of new tokens.
        ///   - expiryNoticeDays: The change of the days before the end of a key at which `key.expiring` comes.
        ///   - unusedAfterDays: The change of the days without a use after which `key.unused` comes.
        ///   - leakAction: The change of the reaction to a leaked token: `notify`, `quarantine` or `revoke`.
        /// - Returns: The organization.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the slug is taken.
        public func update(
            _ organization: String,
            name: String? = nil,
            slug: String? = nil,
            tokenPrefix: Change<String> = .keep,
            expiryNoticeDays: Change<[Int]> = .keep,
            unusedAfterDays: Change<Int> = .keep,
            leakAction: Change<String> = .keep
        ) async throws(MortiseError) -> Organization {
            var body = JSONObject()
            body.add("name", name)
            body.add("slug", slug)
            body.add("token_prefix", tokenPrefix, JSONValue.string)
            body.add("expiry_notice_days", expiryNoticeDays) { .array($0.map { .integer(Int64($0)) }) }
            body.add("unused_after_days", unusedAfterDays) { .integer(Int64($0)) }
            body.add("leak_action", leakAction, JSONValue.string)
            return try await transport.read(.patch(["v1", "organizations", organization], body))
        }

        /// Deletes an organization with its default workspace, admin keys, members and session issuers.
        ///
        /// Requires an operator key. The default workspace must be suspended, and the other workspaces must be deleted.
        /// The call is retried only if nothing was sent.
        ///
        /// - Parameter organization: The id or slug of the organization.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if a workspace is in use.
        public func delete(_ organization: String) async throws(MortiseError) {
            try await transport.run(.delete(["v1", "organizations", organization]))
        }

        /// Lists the events of an organization, newest first.
        ///
        /// Requires the permission `events:read`. The events are those of its members, sessions, admin keys and
        /// workspaces. The events of the keys in a workspace are in ``Workspaces/events(_:_:limit:)``.
        ///
        /// - Parameters:
        ///   - organization: The id or slug of the organization.
        ///   - filter: The events to list.
        ///   - limit: The number of events per page, 1 to 100.
        /// - Returns: The events that pass the filter.
        public func events(
            _ organization: String,
            _ filter: EventFilter = EventFilter(),
            limit: Int = 50
        ) -> PageSequence<Event> {
            transport.list(["v1", "organizations", organization, "events"], filter.parameters, limit: limit)
        }
    }
}
