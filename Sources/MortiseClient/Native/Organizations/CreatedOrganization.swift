extension Mortise {
    /// A new organization with its default workspace and its first admin key.
    public struct CreatedOrganization: Sendable, Hashable {
        /// The organization.
        public let organization: Organization
        /// The default workspace, which is active.
        public let defaultWorkspace: Workspace
        /// The first admin key, with every permission.
        public let adminKey: Key
        /// The token of the admin key, which no later response contains.
        public let token: SecretToken
    }
}

extension Mortise.CreatedOrganization: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        organization = try answer.object("organization")
        defaultWorkspace = try answer.object("default_workspace")
        adminKey = try answer.object("admin_key")
        token = try answer.token("token")
    }
}
