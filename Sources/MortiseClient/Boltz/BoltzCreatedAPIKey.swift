extension Boltz {
    /// A new key and its token.
    public struct CreatedAPIKey: Sendable, Hashable {
        /// The token, which no later response contains.
        public let key: SecretToken
        /// The key.
        public let keyDetails: APIKey
    }
}

extension Boltz.CreatedAPIKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        key = try answer.token("key")
        keyDetails = try answer.object("key_details")
    }
}
