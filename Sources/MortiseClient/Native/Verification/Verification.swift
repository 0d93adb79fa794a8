import JSON

extension Mortise {
    /// A token and what it must allow, for ``verify(_:)``.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/VerifyTokens", slice: "batch")
    public struct Verification: Sendable, Hashable {
        /// The token that your application received, at most 4096 characters.
        public var token: SecretToken
        /// The scopes that the key must have, at most 100.
        ///
        /// An empty array accepts every key.
        public var scopes: [String]
        /// The IP address of the end client.
        ///
        /// A key that is restricted to addresses needs it.
        public var address: String?
        /// The mode that the key must have.
        ///
        /// `nil` accepts both.
        public var mode: Key.Mode?
        /// The namespace in which the key is used.
        ///
        /// `nil` means `default`.
        public var namespace: String?

        /// Creates a question about a token.
        ///
        /// A parameter that is left out has the default of its property.
        public init(
            _ token: SecretToken,
            scopes: [String] = [],
            address: String? = nil,
            mode: Key.Mode? = nil,
            namespace: String? = nil
        ) {
            self.token = token
            self.scopes = scopes
            self.address = address
            self.mode = mode
            self.namespace = namespace
        }

        /// The body of the request.
        var body: JSONObject {
            var body = JSONObject()
            body.add("token", token.reveal())
            if !scopes.isEmpty { body.add("scopes", scopes) }
            body.add("address", address)
            body.add("mode", mode?.rawValue)
            body.add("namespace", namespace)
            return body
        }
    }
}
