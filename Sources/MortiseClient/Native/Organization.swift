public import FoundationEssentials

extension Mortise {
    /// An organization, which owns workspaces.
    ///
    /// ```swift
    /// let organization = try await client.organizations.get("acme")
    /// print(organization.name, organization.slug, organization.createdAt, organization.updatedAt)
    /// if let prefix = organization.tokenPrefix { print("Its tokens begin with", prefix) }
    /// if let id = organization.defaultWorkspaceID { print(try await client.workspaces.get(id).slug) }
    /// let adminKeys = try await client.keys(.admin(organization: organization.id)).list().all()
    /// print(adminKeys.map(\.name))
    /// ```
    public struct Organization: Sendable, Hashable, Identifiable {
        /// Its id.
        public let id: String
        /// Its name, for people.
        public let name: String
        /// Its short name in URLs.
        public let slug: String
        /// What its tokens begin with instead of Mortise's own prefixes.
        public let tokenPrefix: String?
        /// The workspace that is meant where none is named.
        public let defaultWorkspaceID: String?
        /// When it was made.
        public let createdAt: Date
        /// When it was last changed.
        public let updatedAt: Date
    }

    /// A new organization with what it begins with.
    ///
    /// ```swift
    /// let founded = try await client.organizations.create(name: "Acme")
    /// let acme = Mortise(url: client.url, credential: .token(founded.token))
    /// let keys = acme.keys(.service(workspace: founded.defaultWorkspace.slug))
    /// let issued = try await keys.create(Mortise.KeyDraft(name: "CI"))
    /// print(founded.organization.id, founded.adminKey.prefix, issued.key.prefix)
    /// ```
    public struct FoundedOrganization: Sendable, Hashable {
        /// The organization.
        public let organization: Organization
        /// Its default workspace, which is active already.
        public let defaultWorkspace: Workspace
        /// Its first admin key.
        public let adminKey: Key
        /// The token of that key, shown this once.
        public let token: SecretToken
    }
}

extension Mortise.Organization: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        name = try answer.text("name")
        slug = try answer.text("slug")
        tokenPrefix = try answer.textIfAny("token_prefix")
        defaultWorkspaceID = try answer.textIfAny("default_workspace_id")
        createdAt = try answer.time("created_at")
        updatedAt = try answer.time("updated_at")
    }
}

extension Mortise.FoundedOrganization: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        organization = try answer.object("organization")
        defaultWorkspace = try answer.object("default_workspace")
        adminKey = try answer.object("admin_key")
        token = try answer.token("token")
    }
}
