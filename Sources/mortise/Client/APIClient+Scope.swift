import AsyncHTTPClient
import NIOCore

extension APIClient {
    /// Calls the body with a client, and closes its connections afterwards.
    static func with<Value: Sendable>(
        _ server: ServerURL,
        credential: SecretText?,
        timeout: Duration,
        _ body: (APIClient) async throws -> Value
    ) async throws -> Value {
        // A redirection is not followed: it could carry the credential to another server.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(min(timeout.components.seconds, 10))
        configuration.httpVersion = .http1Only
        // Trying again until the timeout would turn "nothing listens there" into ten seconds of silence.
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let client = APIClient(url: server, credential: credential, timeout: timeout, http: http)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        try? await http.shutdown()
        return try result.get()
    }
}
