import AsyncHTTPClient
import HTTPTestSupport
import Locks
import MortiseClient
import TestSupport

extension Mortise {
    /// A text in the format of a token, which no key has.
    static let token = "mka_live_" + String(repeating: "k", count: 46)

    /// Runs the body with a client of a server that responds by a script.
    ///
    /// Pauses between attempts take no time and are recorded.
    static func with(
        _ script: @escaping @Sendable (SeenRequest) -> Reply,
        options: ClientOptions = .patient,
        _ body: (Mortise, ScriptedServer, Pauses) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(script) { server in
            try await withHTTPClient { http in
                let pauses = Pauses()
                let client = Mortise(
                    url: try ServerURL(server.url),
                    credential: .token(SecretToken(Self.token)),
                    options: options,
                    http: http
                )
                try await body(client.pausing { pauses.add($0) }, server, pauses)
            }
        }
    }
}

extension ClientOptions {
    /// The default options with a limit that a busy machine does not reach.
    static var patient: Self {
        var options = ClientOptions()
        options.timeout = .ample
        return options
    }
}

/// Runs the body with an HTTP client, and shuts the client down.
func withHTTPClient<T>(_ body: (HTTPClient) async throws -> T) async throws -> T {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.connectionPool.retryConnectionEstablishment = false
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
        let value = try await body(http)
        try await http.shutdown()
        return value
    } catch {
        try? await http.shutdown()
        throw error
    }
}

/// The recorded pauses of a client.
final class Pauses: Sendable {
    private let pauses = Locked<[Duration]>([])

    var all: [Duration] { pauses.withLock(\.self) }

    func add(_ pause: Duration) { pauses.withLock { $0.append(pause) } }
}

/// A thread-safe counter.
final class Counter: Sendable {
    private let count = Locked(0)

    /// Returns the next number, beginning with 1.
    func next() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}
