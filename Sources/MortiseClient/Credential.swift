/// The credential that a client sends with its calls.
///
/// Every API accepts an admin key of the organization. The native API and Fluxbase's managers also accept a member's
/// session, and Clerk's manager accepts the session token of a user of the application. Calls that manage the platform
/// need an operator key.
///
/// No description of a credential shows its token.
public struct Credential: Sendable {
    /// Returns the token to send.
    ///
    /// `rejected` is the token that the server has just refused.
    let token: @Sendable (_ rejected: SecretToken?) async throws -> SecretToken?

    /// Creates a credential with a fixed token.
    ///
    /// - Parameter token: The token of an admin or operator key, or a session token that lasts long enough.
    /// - Returns: A credential that is never renewed.
    public static func token(_ token: SecretToken) -> Credential {
        Credential { rejected in rejected == nil ? token : nil }
    }

    /// Creates a credential whose token changes, such as the session token of a signed-in user.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ConnectToMortise", slice: "provided")
    ///
    /// - Parameter body: A closure that returns the current token. The client calls it before each attempt. An error of
    ///   the closure ends the call with the reason ``MortiseError/Reason/noCredential``. A cancelled call waits for the
    ///   closure, so the closure should end when its task is cancelled.
    /// - Returns: A credential with the token of the moment.
    public static func provided(by body: @escaping @Sendable () async throws -> SecretToken) -> Credential {
        Credential { rejected in rejected == nil ? try await body() : nil }
    }
}

extension Credential: CustomStringConvertible, CustomReflectable {
    /// The text `(credential)`, which shows nothing of the token.
    public var description: String { "(credential)" }

    /// A mirror without children, so that `dump` shows nothing of the token.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
