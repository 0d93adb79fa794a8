public import FoundationEssentials

extension Mortise {
    /// Somebody's membership in an organization or in one of its workspaces.
    ///
    /// ```swift
    /// let members = client.members(of: "acme")
    /// for try await member in members.list() {
    ///     let place = member.workspaceID ?? "all of \(member.organizationID)"
    ///     print(member.user.email, "is", member.role.rawValue, "in", place, "since", member.createdAt)
    ///     // Whoever was given no password for a month did not wait for one.
    ///     let isForgotten = !member.user.hasPassword && member.updatedAt.timeIntervalSinceNow < -30 * 86_400
    ///     if isForgotten { try await members.remove(member.id) }
    /// }
    /// ```
    public struct Member: Sendable, Hashable, Identifiable {
        /// What a member may do.
        ///
        /// ```swift
        /// let member = try await client.members(of: "acme").add(email: "ada@example.com", role: .auditor)
        /// switch member.role {
        /// case .owner, .admin: print("manages the keys")
        /// case .member: print("has keys of their own")
        /// case .auditor: print("reads keys and events")
        /// default: print("is something newer:", member.role.rawValue)
        /// }
        /// ```
        public struct Role: RawRepresentable, Sendable, Hashable {
            /// The role on the wire.
            public let rawValue: String

            /// Takes a role as it is on the wire.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// Everything, owners included.
            public static let owner = Role(rawValue: "owner")
            /// Everything but owners.
            public static let admin = Role(rawValue: "admin")
            /// Their own client keys.
            public static let member = Role(rawValue: "member")
            /// Reading keys and events.
            public static let auditor = Role(rawValue: "auditor")
        }

        /// The id of the membership.
        public let id: String
        /// Who it is.
        public let user: User
        /// The organization.
        public let organizationID: String
        /// The workspace to which the membership is limited; `nil` for the whole organization.
        public let workspaceID: String?
        /// What the member may do there.
        public let role: Role
        /// When the membership began.
        public let createdAt: Date
        /// When it was last changed.
        public let updatedAt: Date
    }

    /// Somebody who can be a member, the same person in all memberships.
    ///
    /// ```swift
    /// let members = try await client.members(of: "acme").list().all()
    /// for user in Set(members.map(\.user)) where !user.hasPassword {
    ///     print(user.id, user.name ?? user.email, "cannot sign in yet")
    /// }
    /// ```
    public struct User: Sendable, Hashable, Identifiable {
        /// The person's id.
        public let id: String
        /// The person's e-mail address.
        public let email: String
        /// The person's name.
        public let name: String?
        /// Whether the person has a password; without one they cannot sign in.
        public let hasPassword: Bool
    }
}

extension Mortise.User: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        email = try answer.text("email")
        name = try answer.textIfAny("name")
        hasPassword = try answer.bool("has_password")
    }
}

extension Mortise.Member: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        user = try answer.object("user")
        organizationID = try answer.text("organization_id")
        workspaceID = try answer.textIfAny("workspace_id")
        role = Role(rawValue: try answer.text("role"))
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
    }
}
