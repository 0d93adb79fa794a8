import AsyncHTTPClient
import Connections
import NIOCore
import NIOHTTP1
import NIOSSL

/// Asks the server of this machine for its readiness.
enum HealthCheck {
    /// Asks the listener.
    ///
    /// - Parameters:
    ///   - settings: The listener of the server.
    ///   - limit: The maximum duration.
    /// - Throws: `CommandFailure` of kind `unreachable` if no Mortise answers, and `refused` if the server is not ready.
    static func run(_ settings: HealthSettings, within limit: Duration) async throws {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.retryConnectionEstablishment = false
        // The certificate is for the name of the service. This is the same machine, which proves nothing and receives no secret.
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        configuration.tlsConfiguration = tls
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<HTTPClientResponse, any Error>
        var text = ""
        do {
            var request = HTTPClientRequest(url: settings.url)
            // Of a socket, the client would make a host that no server accepts.
            if case .unixSocket = settings.place { request.headers.add(name: "Host", value: "localhost") }
            let answer = try await client.execute(
                request,
                timeout: .nanoseconds(Int64(limit / .nanoseconds(1)))
            )
            // The body has one reason per line.
            text = String(buffer: try await answer.body.collect(upTo: 65_536))
            result = .success(answer)
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        switch result {
        case .success(let answer) where answer.status.code == 200: return
        case .success(let answer) where answer.status.code == 503:
            throw CommandFailure(
                .refused,
                "The server is not ready.",
                details: text.split(separator: "\n").prefix(20).map { String($0.prefix(500)) }
            )
        case .success(let answer)
        where answer.status.code == 400 && !settings.usesTLS && text.contains("speaks HTTPS"):
            throw CommandFailure(
                .unreachable,
                "The server at \(settings.name) speaks HTTPS, and the settings of this command name no certificate.",
                details: [
                    """
                    Name the settings file of the server with \(Settings.settingsFile.declaration.flag), or set \
                    \(Settings.tlsCertificate.declaration.variable).
                    """
                ]
            )
        case .success(let answer):
            throw CommandFailure(
                .unreachable,
                "\(settings.name) answered with status \(answer.status.code), which Mortise does not do."
            )
        case .failure:
            throw CommandFailure(
                .unreachable,
                "No server answers at \(settings.name).",
                details: ["Is the server running, with the same settings as this command?"]
            )
        }
    }
}
