import Crypto
import Endpoints
import FoundationEssentials
package import HTTPTestSupport
package import JSON
package import Keys
import Locks
package import Service

/// An OpenID provider on a real socket, which keeps the protocol, or breaks it where a test says so.
package final class TestProvider: Sendable {
    package static let client = "mortise at example.org"
    /// A secret with every character that an encoding could lose.
    package static let secret = "s3cret +/&=%:ü"
    /// The time that the provider and the server share.
    package static let now: Int64 = 1_800_000_000

    /// The clock of a server with that time.
    package static let clock: @Sendable () -> Timestamp = { Timestamp(microsecondsSinceUnixEpoch: now * 1_000_000) }

    /// The person who signs in.
    package struct Person: Sendable {
        package var subject: String
        package var email: JSONValue?
        package var isVerified: JSONValue?

        package init(_ subject: String, email: JSONValue?, isVerified: JSONValue? = true) {
            self.subject = subject
            self.email = email
            self.isVerified = isVerified
        }
    }

    /// The deviations from the protocol.
    package struct Lies: Sendable {
        package init() {}

        /// Changes of the metadata; `nil` removes a member.
        package var metadata: [(String, JSONValue?)] = []
        /// Changes of the ID token's claims; `nil` removes a claim.
        package var claims: [(String, JSONValue?)] = []
        /// Signs the ID token; by default RS256.
        package var sign: (@Sendable (IssuerKeys, JSONObject) throws -> String)?
        /// The keys that the provider shows.
        package var keySet: JSONValue?
        /// Replies in place of the provider's, by path.
        package var replies: [String: Reply] = [:]
        /// True for a provider that compares the id and the secret in `Authorization` without decoding them.
        package var comparesEncodedPairs = false
        /// True for a provider that exchanges a code as often as it comes.
        package var acceptsCodesTwice = false
        /// True for a provider that tells the address at the user info endpoint alone.
        package var tellsAddressBesides = false
        /// The subject at the user info endpoint, in place of the person's.
        package var otherSubject: String?
    }

    private struct Code {
        let nonce: String
        let challenge: String
        let redirect: String
        let person: Person
        var isUsed = false
    }

    private struct State {
        var url = ""
        var lies = Lies()
        var codes: [String: Code] = [:]
        var isReached: [String: Int] = [:]
    }

    package let keys: IssuerKeys
    /// The time since the start of the server, which only the test moves.
    private let elapsed = Locked(Duration.zero)
    private let state = Locked(State())

    private init() throws { keys = try IssuerKeys() }

    /// Runs the body with a provider.
    package static func with<Value>(_ body: (TestProvider) async throws -> Value) async throws -> Value {
        let provider = try TestProvider()
        return try await ScriptedServer.with {
            provider.reply($0)
        } _: { server in
            provider.state.withLock { $0.url = server.url }
            return try await body(provider)
        }
    }

    /// The issuer, and the origin of all of its pages.
    package var url: String { state.withLock(\.url) }

    /// The provider as the server's settings name it.
    package var settings: IdentityProvider {
        IdentityProvider(issuer: url, clientID: Self.client, clientSecret: ClientSecret(Self.secret), name: "Acme")
    }

    /// The clock by which a server measures the age of what it has read.
    package var age: @Sendable () -> Duration {
        { [self] in elapsed.withLock { $0 } }
    }

    /// Moves that clock.
    package func pass(_ time: Duration) { elapsed.withLock { $0 += time } }

    /// Changes the deviations.
    package func lie(_ change: @Sendable (inout Lies) -> Void) { state.withLock { change(&$0.lies) } }

    /// The number of requests to a path.
    package func count(_ path: String) -> Int { state.withLock { $0.isReached[path] ?? 0 } }

    /// Signs a person in at the address to which the console sent the browser, and returns the path of the callback.
    package func signIn(_ person: Person, at location: String, issuer: String? = nil) throws -> String {
        guard location.hasPrefix("\(url)/authorize?") else { throw Unexpected(what: location) }
        let query = Self.fields(String(location.drop { $0 != "?" }.dropFirst()))
        guard query["response_type"] == "code", query["client_id"] == Self.client,
            query["code_challenge_method"] == "S256",
            query["scope"]?.split(separator: " ").contains("openid") == true, let state = query["state"],
            let nonce = query["nonce"], let challenge = query["code_challenge"], let redirect = query["redirect_uri"]
        else { throw Unexpected(what: location) }
        let code = "code-\(self.state.withLock(\.codes.count))"
        let new = Code(nonce: nonce, challenge: challenge, redirect: redirect, person: person)
        self.state.withLock { $0.codes[code] = new }
        let path = redirect.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }
        return "\(path)?code=\(code)&state=\(state)" + (issuer.map { "&iss=\(FormText.encode($0))" } ?? "")
    }

    private struct Unexpected: Error { let what: String }

    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(parts[0])] = parts.count == 2 ? PercentDecoding.decode(parts[1], plusIsSpace: true) : ""
        }
        return fields
    }

    // MARK: Replies

    private func reply(_ request: SeenRequest) -> Reply {
        let path = String(request.uri.prefix { $0 != "?" })
        let (url, lies) = state.withLock { state in
            state.isReached[path, default: 0] += 1
            return (state.url, state.lies)
        }
        if let reply = lies.replies[path] { return reply }
        do {
            switch path {
            case "/.well-known/openid-configuration": return .json(Self.metadata(url, lies).text)
            case "/jwks": return .json(try (lies.keySet ?? keys.keySet()).text)
            case "/token": return try token(request, url, lies)
            case "/userinfo": return userInfo(request, lies)
            default: return .answer(404, "{}")
            }
        } catch {
            return .answer(500, "{}")
        }
    }

    private static func metadata(_ url: String, _ lies: Lies) -> JSONValue {
        var object: JSONObject = [
            "issuer": .string(url), "authorization_endpoint": .string("\(url)/authorize"),
            "token_endpoint": .string("\(url)/token"), "jwks_uri": .string("\(url)/jwks"),
            "userinfo_endpoint": .string("\(url)/userinfo"), "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        ]
        for (name, value) in lies.metadata { object[name] = value }
        return .object(object)
    }

    private func token(_ request: SeenRequest, _ url: String, _ lies: Lies) throws -> Reply {
        let form = Self.fields(request.body)
        guard request.method == "POST", Self.isClient(request, form, lies), form["grant_type"] == "authorization_code"
        else { return .answer(401, #"{"error":"invalid_client"}"#) }
        let found = state.withLock { state -> Code? in
            guard let code = form["code"].flatMap({ state.codes[$0] }), !code.isUsed || lies.acceptsCodesTwice else {
                return nil
            }
            if let name = form["code"] { state.codes[name]?.isUsed = true }
            return code
        }
        let digest = Base64URL.encode(Array(SHA256.hash(data: Array((form["code_verifier"] ?? "").utf8))))
        guard let found, digest == found.challenge, form["redirect_uri"] == found.redirect else {
            return .answer(400, #"{"error":"invalid_grant"}"#)
        }
        var claims: JSONObject = [
            "iss": .string(url), "sub": .string(found.person.subject), "aud": .string(Self.client),
            "exp": .integer(Self.now + 300), "iat": .integer(Self.now), "nonce": .string(found.nonce),
        ]
        if !lies.tellsAddressBesides {
            claims["email"] = found.person.email
            claims["email_verified"] = found.person.isVerified
        }
        for (name, value) in lies.claims { claims[name] = value }
        let text = try lies.sign?(keys, claims) ?? keys.rs256(claims)
        let answer: JSONValue = [
            "access_token": .string("at-\(form["code"] ?? "")"), "token_type": "Bearer", "id_token": .string(text),
        ]
        return .json(answer.text)
    }

    /// Returns true for a request with the client's secret in one place (RFC 6749 section 2.3), by a method that the metadata announce.
    private static func isClient(_ request: SeenRequest, _ form: [String: String], _ lies: Lies) -> Bool {
        let announced = lies.metadata.last { $0.0 == "token_endpoint_auth_methods_supported" }?.1?.array
        let methods = announced?.compactMap(\.string) ?? ["client_secret_basic"]
        let header = request.header("Authorization")
        if header.isEmpty {
            return methods.contains("client_secret_post") && form["client_id"] == client
                && form["client_secret"] == secret
        }
        let pair =
            lies.comparesEncodedPairs
            ? client + ":" + secret : FormText.encode(client) + ":" + FormText.encode(secret)
        return methods.contains("client_secret_basic") && form["client_secret"] == nil
            && header == ["Basic \(Data(pair.utf8).base64EncodedString())"]
    }

    private func userInfo(_ request: SeenRequest, _ lies: Lies) -> Reply {
        let code = request.header("Authorization").first.map { String($0.dropFirst("Bearer at-".count)) }
        guard let person = state.withLock({ state in code.flatMap { state.codes[$0]?.person } }) else {
            return .answer(401, "{}")
        }
        var object: JSONObject = ["sub": .string(lies.otherSubject ?? person.subject)]
        object["email"] = person.email
        object["email_verified"] = person.isVerified
        return .json(JSONValue.object(object).text)
    }
}
