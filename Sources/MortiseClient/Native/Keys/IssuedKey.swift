extension Mortise {
    /// A key with a new token, from a creation or rotation.
    public struct IssuedKey: Sendable, Hashable {
        /// The key.
        public let key: Key
        /// The token, which no later response contains.
        public let token: SecretToken
    }
}

extension Mortise.IssuedKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        key = try answer.object("key")
        token = try answer.token("token")
    }
}
