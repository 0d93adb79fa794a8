public import AsyncHTTPClient

/// A client of one Mortise server.
///
/// The client has the native API, which manages and verifies keys, and the managers of three published clients. Start
/// with the native API unless you move a program that was written for one of those clients.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ConnectToMortise", slice: "start")
///
/// A client is a value. Creating or copying a client opens no connection, and several tasks can use it at once.
///
/// Every call follows the same rules:
///
/// - It throws ``MortiseError``.
/// - It ends when its task is cancelled, with the reason ``MortiseError/Reason/cancelled``. The server may still do
///   what it was asked to do.
/// - It takes no longer than ``ClientOptions/timeout``, retries included.
/// - It is retried only if that cannot do anything twice: see ``ClientOptions/maximumRetries``.
public struct Mortise: Sendable {
    let transport: Transport

    /// Creates a client.
    ///
    /// Sends nothing before the first call.
    ///
    /// - Parameters:
    ///   - url: The URL of the server. The client sends the credential there unchanged, and over plain `http` others
    ///     can read it.
    ///   - credential: The credential of every call. `nil` calls without a credential, which is enough for
    ///     ``signIn(email:password:organization:)``.
    ///   - options: The deadline, retries and user agent.
    ///   - http: An HTTP client with your own TLS or proxy settings, which you must shut down. It should not follow
    ///     redirections, because a redirection can send the credential to another server. With `nil`, all clients share
    ///     one HTTP client.
    public init(
        url: ServerURL,
        credential: Credential?,
        options: ClientOptions = ClientOptions(),
        http: HTTPClient? = nil
    ) {
        transport = Transport(
            url: url,
            credential: credential,
            options: options,
            http: http ?? Transport.sharedHTTPClient
        )
    }

    init(transport: Transport) {
        self.transport = transport
    }

    /// Returns a client of the same server, over the same HTTP client, with another credential.
    package func with(_ credential: Credential, options: ClientOptions = ClientOptions()) -> Mortise {
        Mortise(url: url, credential: credential, options: options, http: transport.http)
    }

    /// Returns this client with another way to wait between two attempts.
    package func pausing(with pause: @escaping @Sendable (Duration) async throws -> Void) -> Mortise {
        var transport = transport
        transport.pause = pause
        return Mortise(transport: transport)
    }

    /// The URL of the server.
    public var url: ServerURL { transport.url }

    /// Returns a client whose Fluxbase and Clerk managers work in another workspace.
    ///
    /// Without this call, they work in the default workspace of the organization. The native API and Boltz's manager
    /// name the workspace in each call and are not affected.
    ///
    /// - Parameter workspace: The id or slug of the workspace.
    /// - Returns: A client with the same server, credential and options.
    public func forWorkspace(_ workspace: String) -> Mortise {
        var transport = transport
        transport.workspace = workspace
        return Mortise(transport: transport)
    }
}
