/// As whom a client calls.
///
/// Every surface takes an admin key of the organization. Beside it, the native API and Fluxbase's dialect take a member's
/// session, and the dialect of Clerk takes the session token of a user of the application.
///
/// ```swift
/// let credential = Credential.token(SecretToken("mka_live_…"))
/// let client = Mortise(url: try ServerURL("https://keys.example.com"), credential: credential)
/// print(client.url.text)
/// ```
public struct Credential: Sendable {
    /// Gives the token to send; `rejected` is the one that the server has just refused, if any.
    let token: @Sendable (_ rejected: SecretToken?) async throws -> SecretToken?

    /// A token that stays the same: an admin or operator key, or a session token for as long as it lasts.
    ///
    /// ```swift
    /// let credential = Credential.token(SecretToken("mka_live_…"))
    /// print(credential)
    /// ```
    public static func token(_ token: SecretToken) -> Credential {
        Credential { rejected in rejected == nil ? token : nil }
    }

    /// A token that is asked for before every call, such as the session token of a signed-in user, which lives a minute.
    ///
    /// What the closure throws ends the call with the reason `.noCredential`. A call that is cancelled waits for the closure, which should
    /// end when its task is cancelled.
    ///
    /// ```swift
    /// let credential = Credential.provided { try await currentSessionToken() }
    /// print(credential)
    /// ```
    public static func provided(by body: @escaping @Sendable () async throws -> SecretToken) -> Credential {
        Credential { rejected in rejected == nil ? try await body() : nil }
    }
}

extension Credential: CustomStringConvertible, CustomReflectable {
    /// Says that there is a credential, and nothing of it.
    public var description: String { "(credential)" }

    /// No children, so that `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
