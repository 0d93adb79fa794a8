import JSON

extension Mortise {
    /// The workspaces that a credential reaches, each named by its id, or by its slug within the credential's organization.
    ///
    /// ```swift
    /// let shop = try await client.workspaces.get("shop")
    /// print(shop.id)
    /// ```
    public struct Workspaces: Sendable {
        let transport: Transport

        /// Makes a workspace.
        ///
        /// ```swift
        /// let workspace = try await client.workspaces.create(name: "Shop", organization: "acme")
        /// print(workspace.slug)
        /// ```
        ///
        /// - Parameters:
        ///   - name: the name, 1 to 255 characters.
        ///   - organization: the id or slug of the organization that gets it.
        ///   - slug: the short name in URLs; made from the name when absent.
        ///   - cluster: the PostgreSQL server that gets its database; chosen when absent.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The workspace. Its database exists and is migrated.
        /// - Throws: `MortiseError`.
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

        /// The workspaces, newest first.
        ///
        /// ```swift
        /// for try await workspace in client.workspaces.list(state: .active) { print(workspace.slug) }
        /// ```
        ///
        /// - Parameters:
        ///   - organization: only those of the organization with this id.
        ///   - state: only those in this state.
        ///   - query: only those with this text in the name or the slug.
        ///   - limit: how many are read at once, 1 to 100.
        /// - Returns: The list.
        public func list(
            organization: String? = nil,
            state: Workspace.State? = nil,
            query: String? = nil,
            limit: Int = 50
        ) -> PageSequence<Workspace> {
            let filters = [("organization_id", organization), ("state", state?.rawValue), ("query", query)]
            return transport.list(["v1", "workspaces"], filters, limit: limit)
        }

        /// One workspace.
        ///
        /// ```swift
        /// let workspace = try await client.workspaces.get("default")
        /// print(workspace.isDefault)
        /// ```
        public func get(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.get(path(workspace)))
        }

        /// Changes the name or the slug of a workspace.
        ///
        /// ```swift
        /// let renamed = try await client.workspaces.update("shop", name: .set("The shop"))
        /// print(renamed.name ?? "without a name")
        /// ```
        ///
        /// - Parameters:
        ///   - workspace: its id or slug.
        ///   - name: what becomes of the name.
        ///   - slug: the new slug; the old one stays when absent.
        /// - Returns: The workspace as it is now.
        /// - Throws: `MortiseError`.
        public func update(
            _ workspace: String,
            name: Change<String> = .keep,
            slug: String? = nil
        ) async throws(MortiseError) -> Workspace {
            var body = JSONObject()
            body.add("name", name, JSONValue.string)
            body.add("slug", slug)
            return try await transport.read(.patch(path(workspace), body))
        }

        /// Suspends a workspace: its keys do not work until it is resumed.
        ///
        /// ```swift
        /// let workspace = try await client.workspaces.suspend("shop")
        /// print(workspace.state == .suspended)
        /// ```
        public func suspend(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.post(path(workspace, "suspend")))
        }

        /// Resumes a suspended workspace.
        ///
        /// ```swift
        /// let workspace = try await client.workspaces.resume("shop")
        /// print(workspace.state == .active)
        /// ```
        public func resume(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.post(path(workspace, "resume")))
        }

        /// Archives a workspace: its keys never work again.
        ///
        /// ```swift
        /// let workspace = try await client.workspaces.archive("shop")
        /// print(workspace.archivedAt ?? workspace.updatedAt)
        /// ```
        public func archive(_ workspace: String) async throws(MortiseError) -> Workspace {
            try await transport.read(.post(path(workspace, "archive")))
        }

        /// Deletes an archived workspace with its database.
        ///
        /// ```swift
        /// try await client.workspaces.delete("shop")
        /// ```
        public func delete(_ workspace: String) async throws(MortiseError) {
            try await transport.run(.delete(path(workspace)))
        }

        /// What happened in a workspace, newest first.
        ///
        /// ```swift
        /// for try await event in client.workspaces.events("shop", EventFilter(type: "revoked")) {
        ///     print(event.occurredAt, event.actor)
        /// }
        /// ```
        ///
        /// - Parameters:
        ///   - workspace: its id or slug.
        ///   - filter: which events are wanted.
        ///   - limit: how many are read at once, 1 to 100.
        /// - Returns: The list.
        public func events(
            _ workspace: String,
            _ filter: EventFilter = EventFilter(),
            limit: Int = 50
        ) -> PageSequence<Event> {
            transport.list(path(workspace, "events"), filter.parameters, limit: limit)
        }

        private func path(_ workspace: String, _ more: String...) -> [String] {
            ["v1", "workspaces", workspace] + more
        }
    }
}
