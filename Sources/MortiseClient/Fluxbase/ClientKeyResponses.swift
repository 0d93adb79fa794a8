extension Fluxbase {
    /// A new client key and its token.
    public struct CreateClientKeyResponse: Sendable, Hashable {
        /// The key.
        public let clientKey: ClientKey
        /// The token, which no later response contains.
        public let key: SecretToken
        /// The key, by its older name.
        public var apiKey: ClientKey { clientKey }
    }

    /// The client keys that the caller can read.
    public struct ListClientKeysResponse: Sendable, Hashable {
        /// The keys, newest first, at most 10 000.
        public let clientKeys: [ClientKey]
        /// The number of all keys.
        public let total: Int
        /// The keys, by their older name.
        public var apiKeys: [ClientKey] { clientKeys }
    }
}

extension Fluxbase.CreateClientKeyResponse: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        clientKey = try answer.object("client_key")
        key = try answer.token("key")
    }
}

extension Fluxbase.ListClientKeysResponse: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        clientKeys = try answer.objects("client_keys")
        total = try answer.integer("total")
    }
}
