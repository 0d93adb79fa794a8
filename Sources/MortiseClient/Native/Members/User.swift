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
        /// A user without a password cannot sign in.
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
