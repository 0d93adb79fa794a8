extension Fluxbase {
    /// A service key with a new token, from a creation or rotation.
    public struct ServiceKeyWithKey: Sendable, Hashable {
        /// The service key.
        public let serviceKey: ServiceKey
        /// The token, which no later response contains.
        public let key: SecretToken
    }
}

extension Fluxbase.ServiceKeyWithKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        serviceKey = try Fluxbase.ServiceKey(answer)
        key = try answer.token("key")
    }
}
