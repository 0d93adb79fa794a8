import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Reads the public keys of session issuers over HTTP.
///
/// Redirects are not followed: the operator named the place. An answer that is late or large is none.
struct KeySetClient: Sendable {
    private static let deadline = TimeAmount.seconds(5)
    private static let maximumBytes = 262_144

    private let client: HTTPClient

    init() {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: Self.deadline, read: Self.deadline)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// What a URL has.
    func fetch(_ url: String) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/json")
        let response = try await client.execute(request, timeout: Self.deadline)
        guard response.status == .ok else { throw NotOK(status: response.status.code) }
        let body = try await response.body.collect(upTo: Self.maximumBytes)
        return Array(buffer: body)
    }

    /// Closes its connections.
    func shutdown() async {
        try? await client.shutdown()
    }

    private struct NotOK: Error, CustomStringConvertible {
        let status: UInt
        var description: String { "the answer's status is \(status)" }
    }
}
