import Crypto
import FoundationEssentials
import JSON
import Keys
import Server
import ServerTestSupport
import Surfaces
import Testing

extension ServerConfiguration {
    /// Takes the clients' addresses from `X-Forwarded-For` of the tests' own requests.
    mutating func trustLoopback() {
        clients = ClientAddresses(trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)])
    }
}

extension ServerHarness {
    /// Reports tokens as anybody.
    func report(_ tokens: [String], from address: String? = nil, as token: String? = nil) async throws -> Answer {
        try await api.send(
            "POST",
            "/v1/leaks",
            ["tokens": .array(tokens.map { .string($0) })],
            as: token,
            headers: address.map { [("X-Forwarded-For", $0)] } ?? []
        )
    }

    /// Chooses what a leak does to the keys of the organization `default`.
    func choose(_ action: JSONValue) async throws {
        let body: JSONValue = ["leak_action": action]
        let answer = try await api.send("PATCH", "/v1/organizations/default", body, as: operatorToken)
        try #require(answer.status == 200 && answer["leak_action"] == action, "\(answer)")
    }

    /// Returns the status of a key.
    func status(_ path: String, as token: String? = nil) async throws -> String? {
        try await api.get(path, as: token ?? adminToken)["status"]?.string
    }

    /// Returns the types of a key's events, newest first.
    func events(_ path: String, as token: String? = nil) async throws -> [String] {
        let answer = try await api.get("\(path)/events", as: token ?? adminToken)
        return try #require(answer["data"]?.array, "\(answer)").compactMap { $0["type"]?.string }
    }

    /// Returns the details of a key's events of leaks, newest first.
    func leaks(_ path: String) async throws -> [JSONValue] {
        let answer = try await api.get("\(path)/events?type=leaked", as: adminToken)
        return try #require(answer["data"]?.array, "\(answer)").map { $0["changes"] ?? .null }
    }
}

/// A key pair that signs reports as GitHub does.
struct GitHubSigner: Sendable {
    let id: String
    private let key = P256.Signing.PrivateKey()

    init(_ id: String) { self.id = id }

    /// The list of keys as GitHub publishes it.
    static func list(_ signers: [GitHubSigner]) -> String {
        let keys = signers.map { signer -> JSONValue in
            [
                "key_identifier": .string(signer.id), "key": .string(signer.key.publicKey.pemRepresentation),
                "is_current": true,
            ]
        }
        let list: JSONValue = ["public_keys": .array(keys)]
        return list.text
    }

    /// Returns the payload of a report.
    static func payload(_ tokens: [String], url: String = "https://github.com/x") -> String {
        let leaks = tokens.map { token -> JSONValue in
            ["token": .string(token), "type": "mortise_token", "url": .string(url), "source": "content"]
        }
        return JSONValue.array(leaks).text
    }

    func signature(of text: String) throws -> String {
        try key.signature(for: Data(text.utf8)).derRepresentation.base64EncodedString()
    }

    /// Sends a report.
    ///
    /// - Parameters:
    ///   - text: The body.
    ///   - signed: The text that is signed. Defaults to the body.
    ///   - id: The named key. Defaults to the signer's.
    ///   - mortise: The server.
    ///   - address: The address that a proxy names. `nil` names none.
    /// - Returns: The answer.
    /// - Throws: The errors of the request.
    func send(
        _ text: String,
        signing signed: String? = nil,
        as id: String? = nil,
        to mortise: ServerHarness,
        from address: String? = nil
    ) async throws -> Answer {
        try await mortise.api.send(
            "POST",
            "/v1/leaks/github",
            raw: text,
            as: nil,
            headers: [
                ("Github-Public-Key-Identifier", id ?? self.id),
                ("Github-Public-Key-Signature", try signature(of: signed ?? text)),
            ] + (address.map { [("X-Forwarded-For", $0)] } ?? [])
        )
    }
}

extension Answer {
    /// The labels of an answer to GitHub.
    var labels: [String] { json.array?.compactMap { $0["label"]?.string } ?? [] }
}
