public import FoundationEssentials

extension Mortise {
    /// Whoever issues the sessions of an application's users, who then manage their own client keys.
    ///
    /// ```swift
    /// for try await issuer in client.sessionIssuers(of: "acme").list() {
    ///     let keys = issuer.jwksURL ?? issuer.jwksFile ?? (issuer.hasInlineJWKS ? "given when it was added" : "")
    ///     print(issuer.id, issuer.issuer, "signs by", issuer.algorithms, "with the keys", keys)
    ///     print("since", issuer.createdAt, "in", issuer.organizationID)
    ///     print(issuer.readRoles, "see, and", issuer.manageRoles, "manage an organization's keys")
    ///     if issuer.authorizedParties.isEmpty { print("Sessions of every site of the issuer count.") }
    /// }
    /// ```
    public struct SessionIssuer: Sendable, Hashable, Identifiable {
        /// Where the public keys of an issuer are.
        ///
        /// ```swift
        /// let issuers = client.sessionIssuers(of: "acme")
        /// let clerk = "https://clerk.example.com"
        /// let hosted = try await issuers.add(issuer: clerk, keys: .url("\(clerk)/.well-known/jwks.json"))
        /// let mounted = try await issuers.add(issuer: "https://sso.example.com", keys: .file("/etc/mortise/sso.json"))
        /// let key: JSONContent = ["kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]
        /// let keys = Mortise.SessionIssuer.KeySource.inline(["keys": [key]])
        /// let fixed = try await issuers.add(issuer: "https://test.example.com", keys: keys, algorithms: ["EdDSA"])
        /// print(hosted.id, mounted.id, fixed.id)
        /// ```
        public enum KeySource: Sendable, Hashable {
            /// At a URL, which is read every hour: `https`, or `http` to the server's own machine.
            case url(String)
            /// In a file of this absolute path, on every node of the server.
            case file(String)
            /// Here, as a JSON Web Key Set (RFC 7517) of 256 KiB at most.
            case inline([String: JSONContent])
        }

        /// Its id.
        public let id: String
        /// The organization whose client keys its users manage.
        public let organizationID: String
        /// What its tokens say in `iss`, to the letter.
        public let issuer: String
        /// The URL of its keys; `nil` where they come from elsewhere.
        public let jwksURL: String?
        /// The file of its keys; `nil` where they come from elsewhere.
        public let jwksFile: String?
        /// Whether its keys were given when it was added.
        public let hasInlineJWKS: Bool
        /// The signature algorithms that are accepted.
        public let algorithms: [String]
        /// What `azp` has to be one of; empty where it is not looked at.
        public let authorizedParties: [String]
        /// The roles that see the keys of the application's organizations.
        public let readRoles: [String]
        /// The roles that also make and revoke them.
        public let manageRoles: [String]
        /// When it was added.
        public let createdAt: Date
    }
}

extension Mortise.SessionIssuer: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        organizationID = try answer.text("organization_id")
        issuer = try answer.text("issuer")
        jwksURL = try answer.textIfAny("jwks_url")
        jwksFile = try answer.textIfAny("jwks_file")
        hasInlineJWKS = try answer.bool("has_inline_jwks")
        algorithms = try answer.texts("algorithms")
        authorizedParties = try answer.texts("authorized_parties")
        readRoles = try answer.texts("read_roles")
        manageRoles = try answer.texts("manage_roles")
        createdAt = try answer.time("created_at")
    }
}
