import JSON

extension Mortise {
    /// The calls for workspaces.
    ///
    /// Each call names a workspace by its id, or by its slug in the organization of the credential. Reading works with
    /// any credential that has access to the workspace. Changes require the permission `workspaces:write` or an
    /// operator key.
    public struct Workspaces: Sendable {
        let transport: Transport

        /// Creates a workspace.
        ///
        /// Requires the permission `workspaces:write` or an operator key. When the call returns, the database of the
        /// workspace exists and is migrated, which can take seconds. The call is retried under its idempotency key.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "workspace")
        ///
        /// - Parameters:
        ///   - name: The name, 1 to 255 characters.
        ///   - organization: The id or slug of the organization that owns the workspace.
        ///   - slug: The short name in URLs, 1 to 63 characters. `nil` derives it from the name.
        ///   - cluster: The name of the cluster for the database, 1 to 63 characters. `nil` lets the server choose.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The workspace, in the state ``Workspace/State/active``.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the slug is taken.
        public func create(
            name: String,
            organization: String,
            slug: String? = nil,
            cluster: String? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> Workspace {
            var body = JSONObject()
            body.add("name", name)
            body.add("slug", slug)
            body.add("cluster", cluster)
            let path = ["v1", "organizations", organization, "workspaces"]
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path, body, idempotencyKey: key))
        }

        /// Lists workspaces, newest first.
        ///
        /// Works with any credential. An operator key lists all workspaces. Any other credential lists the workspaces
        /// that it has access to.
        ///
        /// - Parameters:
        ///   - organization: The id of the organization of the workspaces. A slug is refused.
        ///   - state: The state of the workspaces.
        ///   - query: A part of the name or the slug, 1 to 255 characters.
        ///   - limit: The number of workspaces per page, 1 to 100.
        /// - Returns: The workspaces that pass all filters.
        public func list(
            organization: String? = nil,
            state: Workspace.State? = nil,
            query: String? = nil,
            limit: Int = 50
        ) -> PageSequence<Workspace> {
            let filters = [("organization_id", organization), ("state", state?.rawValue), ("query", query)]
            return transport.list(["v1", "workspaces"], filters, limit: limit)
        }

        /// Gets a workspace.
        ///
        /// Works with any credential that has access to it.
        ///
        /// - Parameter workspace: The id or slug of the workspace.
        /// - Returns: The workspace.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the workspace does not exist.
        public func get(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.get(path(workspace)))
        }

        /// Changes the name, the slug or the scopes of members in a workspace.
        ///
        /// Requires the permission `workspaces:write` or an operator key. The call is retried only if nothing was sent.
        ///
        /// - Parameters:
        ///   - workspace: The id or slug of the workspace.
        ///   - name: The change of the name.
        ///   - slug: The new slug, or `nil` to keep the slug.
        ///   - memberScopes: The change of the scopes that members can give to their own client keys. Cleared, members
        ///     can give every scope without a wildcard.
        /// - Returns: The workspace.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the slug is taken.
        public func update(
            _ workspace: String,
            name: Change<String> = .keep,
            slug: String? = nil,
            memberScopes: Change<[String]> = .keep
        ) async throws(MortiseError) -> Workspace {
            var body = JSONObject()
            body.add("name", name, JSONValue.string)
            body.add("slug", slug)
            body.add("member_scopes", memberScopes) { $0.json }
            return try await transport.read(.patch(path(workspace), body))
        }

        /// Suspends a workspace: its keys do not work until it is resumed.
        ///
        /// Requires the permission `workspaces:write` or an operator key. Suspending a suspended workspace changes
        /// nothing. The call is retried only if nothing was sent.
        ///
        /// - Parameter workspace: The id or slug of the workspace.
        /// - Returns: The workspace.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the workspace is archived.
        public func suspend(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.post(path(workspace, "suspend")))
        }

        /// Resumes a suspended workspace: its keys work again.
        ///
        /// Requires the permission `workspaces:write` or an operator key. The call is retried only if nothing was sent.
        ///
        /// - Parameter workspace: The id or slug of the workspace.
        /// - Returns: The workspace.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the workspace is archived.
        public func resume(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.post(path(workspace, "resume")))
        }

        /// Archives a workspace: its keys do not work until it is restored.
        ///
        /// Requires the permission `workspaces:write` or an operator key. The events of the workspace can still be
        /// read. ``restore(_:)`` undoes the call for 30 days. The call is retried only if nothing was sent.
        ///
        /// - Parameter workspace: The id or slug of the workspace.
        /// - Returns: The workspace.
        /// - Throws: ``MortiseError``, with the reason `.conflict` for the default workspace.
        public func archive(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.post(path(workspace, "archive")))
        }

        /// Restores an archived workspace, in the state that it had before.
        ///
        /// Requires the permission `workspaces:write` or an operator key. Restoring a workspace that is not archived
        /// changes nothing. The call is retried only if nothing was sent.
        ///
        /// - Parameter workspace: The id or slug of the workspace.
        /// - Returns: The workspace.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the workspace was archived more than 30 days ago.
        public func restore(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.post(path(workspace, "restore")))
        }

        /// Disables or revokes all client keys of a removed subject.
        ///
        /// Requires the permission `keys:write`. The call is retried only if nothing was sent.
        ///
        /// - Parameters:
        ///   - subject: The subject of the keys.
        ///   - workspace: The id or slug of the workspace.
        ///   - outcome: The outcome for the keys. ``ClientKeyOutcome/keep`` only counts them.
        /// - Returns: The number of keys that worked before.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the workspace does not exist.
        public func retireClientKeys(
            of subject: String,
            in workspace: String,
            _ outcome: ClientKeyOutcome = .disable
        ) async throws(MortiseError) -> Int {
            let body: JSONObject = ["subject": .string(subject), "client_keys": .string(outcome.rawValue)]
            let retired: RetiredClientKeys = try await transport.read(.post(path(workspace, "retire-subject"), body))
            return retired.count
        }

        /// Deletes an archived workspace and its database.
        ///
        /// Requires the permission `workspaces:write` or an operator key. A workspace whose creation did not finish can
        /// be deleted, too. The call is retried only if nothing was sent.
        ///
        /// - Parameter workspace: The id or slug of the workspace.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the workspace is in use or is the default
        ///   workspace.
        public func delete(_ workspace: String) async throws(MortiseError) {
            try await transport.run(.delete(path(workspace)))
        }

        /// Lists the events of a workspace and its keys, newest first.
        ///
        /// Requires the permission `events:read`.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "events")
        ///
        /// - Parameters:
        ///   - workspace: The id or slug of the workspace.
        ///   - filter: The events to list.
        ///   - limit: The number of events per page, 1 to 100.
        /// - Returns: The events that pass the filter.
        public func events(
            _ workspace: String,
            _ filter: EventFilter = EventFilter(),
            limit: Int = 50
        ) -> PageSequence<Event> {
            transport.list(path(workspace, "events"), filter.parameters, limit: limit)
        }

        /// Reports the verifications of all keys of a workspace, in the order of time.
        ///
        /// Requires the permission `keys:read`. A step without a verification has no row. The server writes counts every
        /// second, so a report can lack the last two seconds.
        ///
        /// - Parameters:
        ///   - workspace: The id or slug of the workspace.
        ///   - query: The interval, the step and the rows. The last 24 hours by default.
        ///   - limit: The number of rows per page, 1 to 100.
        /// - Returns: The rows.
        public func usage(
            _ workspace: String,
            _ query: UsageQuery = UsageQuery(),
            limit: Int = 100
        ) -> PageSequence<UsageRow> {
            transport.list(path(workspace, "usage"), query.parameters, limit: limit)
        }

        private func path(_ workspace: String, _ more: String...) -> [String] {
            ["v1", "workspaces", workspace] + more
        }
    }
}
