import JSON

extension Mortise {
    /// The organizations of the platform; they need the operator key.
    ///
    /// ```swift
    /// let organizations = try await client.organizations.list().all()
    /// print(organizations.map(\.slug))
    /// ```
    public struct Organizations: Sendable {
        let transport: Transport

        /// Makes an organization, its default workspace and its first admin key.
        ///
        /// ```swift
        /// let founded = try await client.organizations.create(name: "Acme", slug: "acme", tokenPrefix: "acme")
        /// try founded.token.reveal().write(toFile: "acme-admin.key", atomically: true, encoding: .utf8)
        /// ```
        ///
        /// - Parameters:
        ///   - name: the name, 1 to 255 characters.
        ///   - slug: the short name in URLs; made from the name when absent.
        ///   - tokenPrefix: what its tokens begin with, up to 4 characters.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The organization with its workspace and key. The workspace's database exists and is migrated.
        /// - Throws: `MortiseError`.
        public func create(
            name: String,
            slug: String? = nil,
            tokenPrefix: String? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> FoundedOrganization {
            var body = JSONObject()
            body.add("name", name)
            body.add("slug", slug)
            body.add("token_prefix", tokenPrefix)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(["v1", "organizations"], body, idempotencyKey: key))
        }

        /// Changes the name, the slug or the token prefix of an organization.
        ///
        /// ```swift
        /// let renamed = try await client.organizations.update("acme", name: "Acme & Sons", tokenPrefix: .clear)
        /// print(renamed.name)
        /// ```
        ///
        /// - Parameters:
        ///   - organization: its id or slug.
        ///   - name: the new name; the old one stays when absent.
        ///   - slug: the new slug; the old one stays when absent.
        ///   - tokenPrefix: what becomes of what new tokens begin with.
        /// - Returns: The organization as it is now.
        /// - Throws: `MortiseError`.
        public func update(
            _ organization: String,
            name: String? = nil,
            slug: String? = nil,
            tokenPrefix: Change<String> = .keep
        ) async throws(MortiseError) -> Organization {
            var body = JSONObject()
            body.add("name", name)
            body.add("slug", slug)
            body.add("token_prefix", tokenPrefix, JSONValue.string)
            return try await transport.read(.patch(["v1", "organizations", organization], body))
        }

        /// All organizations, newest first.
        ///
        /// ```swift
        /// for try await organization in client.organizations.list() { print(organization.name) }
        /// ```
        ///
        /// - Parameter limit: how many are read at once, 1 to 100.
        /// - Returns: The list.
        public func list(limit: Int = 50) -> PageSequence<Organization> {
            transport.list(["v1", "organizations"], [], limit: limit)
        }

        /// One organization.
        ///
        /// ```swift
        /// let organization = try await client.organizations.get("acme")
        /// print(organization.slug)
        /// ```
        ///
        /// - Parameter organization: its id or slug.
        /// - Returns: The organization.
        /// - Throws: `MortiseError`.
        public func get(_ organization: String) async throws(MortiseError) -> Organization {
            try await transport.read(.get(["v1", "organizations", organization]))
        }
    }
}
