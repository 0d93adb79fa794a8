import JSON

extension Mortise {
    /// The members of an organization.
    ///
    /// ```swift
    /// let members = client.members(of: "acme")
    /// let ada = try await members.add(email: "ada@example.com", role: .admin)
    /// print(ada.id)
    /// ```
    public struct Members: Sendable {
        let transport: Transport
        let organization: String

        /// The members, newest first.
        ///
        /// ```swift
        /// for try await member in client.members(of: "acme").list() { print(member.user.email) }
        /// ```
        ///
        /// - Parameters:
        ///   - workspaceID: only those of this workspace.
        ///   - role: only those with this role.
        ///   - query: only those with this text in the address or the name.
        ///   - limit: how many are read at once, 1 to 100.
        /// - Returns: The list.
        public func list(
            workspaceID: String? = nil,
            role: Member.Role? = nil,
            query: String? = nil,
            limit: Int = 50
        ) -> PageSequence<Member> {
            let filters = [("workspace_id", workspaceID), ("role", role?.rawValue), ("query", query)]
            return transport.list(path(), filters, limit: limit)
        }

        /// One membership.
        ///
        /// ```swift
        /// let member = try await client.members(of: "acme").get("0198c0de-0000-7000-8000-000000000001")
        /// print(member.role.rawValue)
        /// ```
        public func get(_ id: String) async throws(MortiseError) -> Member {
            try await transport.read(.get(path(id)))
        }

        /// Makes somebody a member.
        ///
        /// Mortise sends no e-mail: the password is yours to hand over. Whoever has an account already keeps its name and
        /// password.
        ///
        /// ```swift
        /// let members = client.members(of: "acme")
        /// let member = try await members.add(
        ///     email: "ada@example.com",
        ///     role: .member,
        ///     password: SecretToken("correct horse battery staple")
        /// )
        /// print(member.user.id)
        /// ```
        ///
        /// - Parameters:
        ///   - email: the person's e-mail address.
        ///   - role: what the member may do.
        ///   - workspaceID: the workspace to which that is limited; the whole organization when absent.
        ///   - name: the person's name.
        ///   - password: what the person signs in with, 12 characters at least; without one they cannot sign in yet.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The membership.
        /// - Throws: `MortiseError`.
        public func add(
            email: String,
            role: Member.Role,
            workspaceID: String? = nil,
            name: String? = nil,
            password: SecretToken? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> Member {
            var body = JSONObject()
            body.add("email", email)
            body.add("role", role.rawValue)
            body.add("workspace_id", workspaceID)
            body.add("name", name)
            body.add("password", password?.reveal())
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(), body, idempotencyKey: key))
        }

        /// Changes a membership.
        ///
        /// ```swift
        /// let members = client.members(of: "acme")
        /// let member = try await members.change("0198c0de-0000-7000-8000-000000000001", role: .admin)
        /// print(member.updatedAt)
        /// ```
        ///
        /// - Parameters:
        ///   - id: the membership's id.
        ///   - role: the new role; the old one stays when absent.
        ///   - name: what becomes of the person's name.
        ///   - password: a new password; the old one stays when absent.
        /// - Returns: The membership as it is now.
        /// - Throws: `MortiseError`.
        public func change(
            _ id: String,
            role: Member.Role? = nil,
            name: Change<String> = .keep,
            password: SecretToken? = nil
        ) async throws(MortiseError) -> Member {
            var body = JSONObject()
            body.add("role", role?.rawValue)
            body.add("name", name, JSONValue.string)
            body.add("password", password?.reveal())
            return try await transport.read(.patch(path(id), body))
        }

        /// Ends a membership.
        ///
        /// ```swift
        /// try await client.members(of: "acme").remove("0198c0de-0000-7000-8000-000000000001")
        /// ```
        public func remove(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(path(id)))
        }

        private func path(_ more: String...) -> [String] {
            ["v1", "organizations", organization, "members"] + more
        }
    }
}
