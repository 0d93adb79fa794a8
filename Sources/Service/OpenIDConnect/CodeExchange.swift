import FoundationEssentials
import JSON

/// Exchanges an authorization code for what the provider says about a person.
struct CodeExchange: Sendable {
    let provider: IdentityProvider
    let exchange: OutboundExchange

    /// The tokens of an answer.
    struct Tokens: Sendable {
        let idToken: CompactJWS
        /// The credential for the provider's claims about the person.
        let accessToken: String?
    }

    /// A fault of the provider, as the log says it.
    struct Fault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Exchanges a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    ///
    /// - Throws: `Fault`, the errors of the exchange.
    func tokens(
        for code: String,
        verifier: String,
        redirect: String,
        _ metadata: ProviderMetadata
    ) async throws -> Tokens {
        var form = [
            (name: "grant_type", value: "authorization_code"), (name: "code", value: code),
            (name: "redirect_uri", value: redirect), (name: "code_verifier", value: verifier),
        ]
        var authorization: String?
        if sendsSecretInForm(metadata) {
            form.append((name: "client_id", value: provider.clientID))
            form.append((name: "client_secret", value: provider.clientSecret.reveal()))
        } else {
            let pair = encodedID + ":" + encodedSecret
            authorization = "Basic " + Data(pair.utf8).base64EncodedString()
        }
        let answer = try await exchange(
            OutboundRequest(metadata.tokenEndpoint, form: form, authorization: authorization)
        )
        let object = Self.object(answer.body)
        guard answer.status == 200 else {
            // The code of an error is one of a list, and a text of the provider's choice stays out of the log.
            let code = object?["error"]?.string.flatMap(Self.errorCode) ?? "no error code"
            throw Fault("the token endpoint answered \(answer.status): \(code)")
        }
        guard let text = object?["id_token"]?.string, let token = CompactJWS(text) else {
            throw Fault("the token endpoint answered no ID token")
        }
        return Tokens(idToken: token, accessToken: object?["access_token"]?.string)
    }

    // Both parts of the pair are encoded like a form first (RFC 6749 section 2.3.1).
    private var encodedID: String { FormText.encode(provider.clientID) }
    private var encodedSecret: String { FormText.encode(provider.clientSecret.reveal()) }

    /// Returns true if the id and the secret go into the form.
    ///
    /// Some providers compare the pair in `Authorization` without decoding it. A provider with both methods gets an id or a secret that the
    /// encoding changes in the form, which all providers decode.
    private func sendsSecretInForm(_ metadata: ProviderMetadata) -> Bool {
        switch metadata.authentication {
        case .basic: false
        case .post: true
        case .both: encodedID != provider.clientID || encodedSecret != provider.clientSecret.reveal()
        }
    }

    /// Returns the address that the provider gives besides the ID token (OpenID Connect Core section 5.3).
    ///
    /// - Throws: `Fault` also for claims about another person, the errors of the exchange.
    func email(of subject: String, _ tokens: Tokens, _ metadata: ProviderMetadata) async throws -> ProviderEmail? {
        guard let url = metadata.userInfoEndpoint, let token = tokens.accessToken,
            (1...8192).contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        let answer = try await exchange(OutboundRequest(url, authorization: "Bearer \(token)"))
        guard answer.status == 200, let object = Self.object(answer.body) else {
            throw Fault("the user info endpoint answered \(answer.status)")
        }
        // Otherwise an exchanged access token would give one person the address of another (section 5.3.2).
        guard object["sub"]?.string == subject else { throw Fault("the user info is about another subject") }
        return ProviderEmail(object)
    }

    /// Returns an error code if it has the form of one (RFC 6749 section 5.2).
    static func errorCode(_ text: String) -> String? {
        let isCode =
            (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
            }
        return isCode ? text : nil
    }

    private static func object(_ bytes: [UInt8]) -> JSONObject? {
        let limits = JSONLimits(maximumBytes: KeySet.maximumBytes)
        guard let value = try? JSONValue(parsing: bytes, limits: limits), case .object(let object) = value else {
            return nil
        }
        return object
    }
}
