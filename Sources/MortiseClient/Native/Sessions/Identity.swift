extension Mortise {
    /// The identity of a credential: a key or a member, with its permissions.
    public struct Identity: Sendable, Hashable {
        /// The kind of the identity: `operator_key`, `admin_key` or `member`.
        public let type: String
        /// The id of the key, or `nil` for a member.
        public let keyID: String?
        /// The name of the key or user.
        public let name: String?
        /// The id of the organization of the credential, or `nil` for an operator key.
        public let organizationID: String?
        /// The permissions.
        ///
        /// A member of single workspaces has each of them in one of the workspaces at least.
        public let permissions: [String]
        /// The id of the session, or `nil` for a key.
        public let sessionID: String?
        /// The user of the session, or `nil` for a key.
        public let user: User?
        /// The memberships of the user in the organization, none for a key.
        public let memberships: [Member]
    }
}

extension Mortise.Identity: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        type = try answer.text("type")
        keyID = try answer.textIfAny("key_id")
        name = try answer.textIfAny("name")
        organizationID = try answer.textIfAny("organization_id")
        permissions = try answer.texts("permissions")
        sessionID = try answer.textIfAny("session_id")
        user = try answer.objectIfAny("user")
        memberships = try answer.objects("memberships")
    }
}
