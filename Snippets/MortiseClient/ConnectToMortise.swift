// Clients, credentials and sessions.
import Foundation
import MortiseClient

func startQuickly() async throws {
    // snippet.start
    let client = Mortise(
        url: try ServerURL("https://keys.example.com"),
        credential: .token(SecretToken("mka_live_…"))
    )
    let keys = client.keys(.service(workspace: "default"))
    let issued = try await keys.create(Mortise.KeyDraft(name: "CI", scopes: ["read:orders"]))
    // The server stores no token: keep it now, or rotate the key later.
    try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    // snippet.end
    // snippet.first-verdict
    let verdict = try await client.verify(issued.token, scopes: ["read:orders"])
    print(verdict.isValid)  // true
    // snippet.end
}

// MARK: The address of the server

func checkURL(_ text: String) -> ServerURL? {
    // snippet.url
    do {
        let url = try ServerURL(text)
        if !url.isEncrypted, !url.isLocal { print("Warning: \(url.text) sends tokens in plain text.") }
        return url
    } catch {
        switch error {
        case .notAServer: print("The URL must begin with http://, https:// or http+unix:// and name a host.")
        case .credentialsInside: print("The URL must not hold a password. Pass a token to the client instead.")
        case .queryOrFragment: print("The URL must end with its path.")
        }
        return nil
    }
    // snippet.end
}

func connectToSocket() throws -> Mortise {
    // snippet.socket
    let client = Mortise(url: try ServerURL("http+unix://%2Frun%2Fmortise.sock"), credential: nil)
    print(client.url.isLocal)  // true
    // snippet.end
    return client
}

// MARK: Options and credentials

func limitTime(url: ServerURL, credential: Credential) -> Mortise {
    // snippet.options
    var options = ClientOptions()
    options.timeout = .seconds(5)
    options.maximumRetries = 1
    options.userAgent = "shop/2.1"
    let client = Mortise(url: url, credential: credential, options: options)
    // snippet.end
    return client
}

func useCurrentSession(url: ServerURL, currentSessionToken: @escaping @Sendable () async throws -> String) -> Mortise {
    // snippet.provided
    let user = Mortise(url: url, credential: .provided { SecretToken(try await currentSessionToken()) })
    // snippet.end
    return user
}

func keepSecrets() {
    // snippet.secret
    let token = SecretToken("mka_live_…")
    print("Calling with \(token)")  // Calling with (secret)
    print(Credential.token(token))  // (credential)
    let header = "Bearer \(token.reveal())"
    // snippet.end
    _ = header
}

// MARK: Sessions of members

func signIn(url: ServerURL) async throws {
    // snippet.sign-in
    let anonymous = Mortise(url: url, credential: nil)
    let ada = try await anonymous.signIn(email: "ada@example.com", password: SecretToken("correct horse battery"))
    let list = try await ada.management.clientKeys.list()
    print(list.total)
    try await ada.signOut()
    // snippet.end
}

func changePassword(of ada: Mortise) async throws {
    // snippet.password
    try await ada.changePassword(
        current: SecretToken("correct horse battery"),
        new: SecretToken("staple that horse again")
    )
    // snippet.end
}

func showIdentity(_ client: Mortise) async throws {
    // snippet.identity
    let identity = try await client.me()
    if let user = identity.user {
        print(user.email, identity.memberships.map(\.role.rawValue), "session", identity.sessionID ?? "")
    } else {
        print(identity.type, identity.keyID ?? "", identity.name ?? "", identity.organizationID ?? "the platform")
    }
    if !identity.permissions.contains("keys:write") { print("This credential cannot create keys.") }
    // snippet.end
}
