extension Mortise {
    /// A user, who can have several memberships.
    public struct User: Sendable, Hashable, Identifiable {
        /// The id of the user.
        public let id: String
        /// The e-mail address of the user.
        public let email: String
        /// The name of the user.
        public let name: String?
        /// True if the user has a password.
        ///
        /// A user without a password can sign in only with the identity provider.
        public let hasPassword: Bool
        /// The account of the identity provider, or `nil` for a user who has not signed in with one.
        public let identity: Identity?

        /// The account of a user at an identity provider.
        public struct Identity: Sendable, Hashable {
            /// The issuer, as its ID tokens name it.
            public let issuer: String
            /// The text that the issuer gives to nobody else.
            public let subject: String
        }
    }
}

extension Mortise.User: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        email = try answer.text("email")
        name = try answer.textIfAny("name")
        hasPassword = try answer.bool("has_password")
        identity = try answer.objectIfAny("identity")
    }
}

extension Mortise.User.Identity: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        issuer = try answer.text("issuer")
        subject = try answer.text("subject")
    }
}
