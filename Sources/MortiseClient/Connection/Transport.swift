import AsyncHTTPClient
import JSON
import NIOCore

/// Sends the calls of a client to one server.
struct Transport: Sendable {
    let url: ServerURL
    let credential: Credential?
    let options: ClientOptions
    let http: HTTPClient
    /// The workspace of Fluxbase's and Clerk's managers, or `nil` for the default workspace of the organization.
    var workspace: String?
    /// Waits between two attempts.
    var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    /// Receives the body of each successful answer.
    var observer: (@Sendable (JSONValue) -> Void)?

    /// The HTTP client of all clients that have none of their own.
    ///
    /// Unused connections close after a minute.
    static let sharedHTTPClient: HTTPClient = {
        // A redirection can send the credential to another server, so none is followed.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(10)
        configuration.httpVersion = .http1Only
        // Otherwise a refused connection is tried again until the connect timeout, and the error comes 10 seconds late.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Returns this transport with another credential.
    func with(credential: Credential?) -> Transport {
        Transport(url: url, credential: credential, options: options, http: http, workspace: workspace, pause: pause)
    }

    /// Makes a call, with its retries, and returns the response, whatever its status.
    func exchange(_ call: Call) async throws(MortiseError) -> Answer {
        try check(call)
        let outcome = await withTaskGroup(of: Result<Answer, MortiseError>.self) { group in
            group.addTask { await attempts(call) }
            group.addTask {
                try? await Task.sleep(for: options.timeout)
                return .failure((Task.isCancelled ? .cancelled : timedOut).of(call, isUncertain: true))
            }
            let first = await group.next()
            group.cancelAll()
            return first ?? .failure(.cancelled)
        }
        return try outcome.get()
    }

    /// Throws if a value of a call cannot be the value of a header.
    ///
    /// Sends nothing.
    private func check(_ call: Call) throws(MortiseError) {
        let values = [
            ("idempotency key", call.idempotencyKey), ("workspace", call.surface == .fluxbase ? workspace : nil),
            ("user agent", options.userAgent),
        ]
        for case (let name, let value?) in values
        where value.isEmpty || !value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            throw MortiseError(.invalidRequest, "The \(name) must be printable ASCII and must not be empty.")
        }
        // The path would be that of another operation.
        if let index = call.path.firstIndex(of: "") {
            let kind = index > 0 ? " behind \"\(call.path[index - 1])\"" : ""
            throw MortiseError(.invalidRequest, "The name or id\(kind) must not be empty. Nothing was sent.")
        }
    }

    /// The error of a call that took longer than its timeout.
    var timedOut: MortiseError {
        let (seconds, attoseconds) = options.timeout.components
        let limit = attoseconds == 0 ? "\(seconds) s" : "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000) ms"
        return MortiseError(.timedOut, "\(url.text) did not answer within \(limit).")
    }
}
