import JSON

extension Mortise {
    /// The calls for the members of an organization.
    ///
    /// All require the permission `members:write`.
    ///
    /// A credential can give and take away only roles whose permissions it has. Only owners and operator keys add,
    /// change and remove owners. As an exception, an admin key with every permission adds the first owner.
    public struct Members: Sendable {
        let transport: Transport
        let organization: String

        /// Lists the members, newest first.
        ///
        /// Requires the permission `members:write`. A member who manages single workspaces sees the members of those
        /// workspaces.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "members")
        ///
        /// - Parameters:
        ///   - workspaceID: The id of the workspace of the members.
        ///   - role: The role of the members.
        ///   - query: A part of the e-mail address or the name, 1 to 255 characters.
        ///   - limit: The number of members per page, 1 to 100.
        /// - Returns: The members that pass all filters.
        public func list(
            workspaceID: String? = nil,
            role: Member.Role? = nil,
            query: String? = nil,
            limit: Int = 50
        ) -> PageSequence<Member> {
            let filters = [("workspace_id", workspaceID), ("role", role?.rawValue), ("query", query)]
            return transport.list(path(), filters, limit: limit)
        }

        /// Gets a membership.
        ///
        /// Requires the permission `members:write`.
        ///
        /// - Parameter id: The id of the membership.
        /// - Returns: The membership.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the membership does not exist.
        public func get(_ id: String) async throws(MortiseError) -> Member {
            try await transport.read(.get(path(id)))
        }

        /// Adds a member.
        ///
        /// Requires the permission `members:write`. Mortise sends no e-mail, so give the password to the user yourself.
        /// A user of the organization keeps the name and password that they have. The call is retried under its
        /// idempotency key.
        ///
        /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "add-member")
        ///
        /// - Parameters:
        ///   - email: The e-mail address of the user, in ASCII.
        ///   - role: The role of the member.
        ///   - workspaceID: The id of the workspace that the role is limited to. `nil` means the whole organization.
        ///   - name: The name of the user, 1 to 255 characters.
        ///   - password: The password of the user, 12 to 256 characters. A user without a password can sign in only with the
        ///     identity provider.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The membership.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the user has the role already or belongs to
        ///   another organization.
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

        /// Changes a membership and its user.
        ///
        /// Requires the permission `members:write`. A new password ends the sessions of the user. The call is retried
        /// only if nothing was sent.
        ///
        /// - Parameters:
        ///   - id: The id of the membership.
        ///   - role: The new role, or `nil` to keep the role.
        ///   - name: The change of the user's name.
        ///   - password: The new password, 12 to 256 characters, or `nil` to keep the password.
        /// - Returns: The membership.
        /// - Throws: ``MortiseError``, with the reason `.conflict` if the last owner would lose the role.
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

        /// Removes a member.
        ///
        /// Requires the permission `members:write`. The sessions of the user in the organization end at once. A user
        /// without another membership is deleted. The call is retried only if nothing was sent.
        ///
        /// - Parameters:
        ///   - id: The id of the membership.
        ///   - clientKeys: The outcome for the user's client keys in workspaces that the user can no longer enter.
        /// - Throws: ``MortiseError``, with the reason `.conflict` for the last owner.
        public func remove(_ id: String, clientKeys: ClientKeyOutcome = .disable) async throws(MortiseError) {
            var call = Call.delete(path(id))
            if clientKeys != .disable { call.query = [("client_keys", clientKeys.rawValue)] }
            try await transport.run(call)
        }

        /// Lists the sessions of a member in the organization that have not ended, newest first, at most 100.
        ///
        /// Requires the permission `members:write`.
        ///
        /// - Parameter id: The id of the membership.
        /// - Returns: The sessions.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the membership does not exist.
        public func sessions(_ id: String) async throws(MortiseError) -> [SessionSummary] {
            let list: SessionList = try await transport.read(.get(path(id, "sessions")))
            return list.sessions
        }

        /// Ends the sessions of a member in the organization.
        ///
        /// Requires the permission `members:write`. The user can sign in again. The call is retried only if nothing was
        /// sent.
        ///
        /// - Parameter id: The id of the membership.
        /// - Returns: The number of sessions that ended.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the membership does not exist.
        public func endSessions(_ id: String) async throws(MortiseError) -> Int {
            let ended: EndedSessions = try await transport.read(.delete(path(id, "sessions")))
            return ended.count
        }

        /// Separates a member from an account of the identity provider.
        ///
        /// Requires a session of an owner, or an operator key. The sessions of the user end, and the next account with the
        /// user's verified e-mail address takes the place. The call is retried only if nothing was sent.
        ///
        /// - Parameter id: The id of the membership.
        /// - Throws: ``MortiseError``, with the reason `.conflict` for a member without an account, or `.forbidden` for any
        ///   other caller.
        public func unbind(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(path(id, "identity")))
        }

        private func path(_ more: String...) -> [String] {
            ["v1", "organizations", organization, "members"] + more
        }
    }
}
