import JSON

/// The metadata of an OpenID provider (OpenID Connect Discovery section 3), as far as a sign-in needs them.
struct ProviderMetadata: Sendable {
    /// The method by which the provider authenticates a client with a secret (OpenID Connect Core section 9).
    enum ClientAuthentication: Sendable {
        /// In `Authorization`.
        case basic
        /// In the form.
        case post
        /// In either.
        case both
    }

    /// The page that signs a person in.
    let authorizationEndpoint: String
    /// The URL that exchanges a code for tokens.
    let tokenEndpoint: String
    /// The URL that tells claims about a person, if there is one.
    let userInfoEndpoint: String?
    /// The URL of the public keys.
    let keys: String
    /// The algorithms that an ID token can have here.
    let algorithms: [String]
    /// The method by which the client authenticates itself.
    let authentication: ClientAuthentication
    /// True if every answer of the authorization endpoint names the issuer (RFC 9207 section 3).
    let namesIssuer: Bool

    /// Reads metadata.
    ///
    /// - Parameters:
    ///   - bytes: The document.
    ///   - issuer: The issuer that the operator named.
    /// - Throws: `Fault`.
    init(_ bytes: [UInt8], of issuer: String) throws(Fault) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(maximumBytes: KeySet.maximumBytes)),
            case .object(let object) = value
        else { throw Fault("the metadata is not a JSON object") }
        // Metadata of another issuer would let it answer in this one's name (Discovery section 4.3).
        let named = object["issuer"]?.string
        guard named == issuer else {
            // The usual fault is a slash at the end, which an operator must see. Any other text stays out of the log.
            let shown = named.map { IdentityProvider.isIssuer($0) ? $0 : "a text that is not an issuer URL" } ?? "none"
            throw Fault("the metadata is of another issuer: \(shown)")
        }
        let allowsLocal = TrustedURL.isLocal(issuer)
        func url(_ name: String) throws(Fault) -> String {
            guard let text = object[name]?.string, TrustedURL.isGood(text, allowsLocal: allowsLocal),
                !text.contains("#")
            else { throw Fault("\(name) is not an https URL") }
            return text
        }
        authorizationEndpoint = try url("authorization_endpoint")
        tokenEndpoint = try url("token_endpoint")
        keys = try url("jwks_uri")
        userInfoEndpoint = object["userinfo_endpoint"] == nil ? nil : try url("userinfo_endpoint")
        let announced = object["id_token_signing_alg_values_supported"]?.array?.compactMap(\.string)
        algorithms = SessionIssuerService.algorithms.filter { announced?.contains($0) ?? true }
        guard !algorithms.isEmpty else { throw Fault("the provider signs ID tokens by no algorithm with a public key") }
        let methods =
            object["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.string) ?? ["client_secret_basic"]
        authentication =
            switch (methods.contains("client_secret_basic"), methods.contains("client_secret_post")) {
            case (true, true): .both
            case (false, true): .post
            case (_, false): .basic
            }
        let challenges = object["code_challenge_methods_supported"]?.array?.compactMap(\.string)
        guard challenges?.contains("S256") ?? true else { throw Fault("the provider does not support PKCE with S256") }
        namesIssuer = object["authorization_response_iss_parameter_supported"]?.bool == true
    }

    /// The reason for which metadata cannot be used.
    struct Fault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// The URL of an issuer's metadata (Discovery section 4).
    static func url(of issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
    }
}
