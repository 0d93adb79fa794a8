import HTTPTypes
import Server

/// An operation to throw requests at, whichever surface it belongs to.
struct FuzzTarget: Sendable {
    /// Where the surface expects a credential.
    enum Credential: Sendable {
        case bearer
        case apiKey
    }

    let method: String
    let path: String
    let parameters: [String]
    let query: [QueryParameter]
    let body: Schema?
    let credential: Credential

    /// All operations of a table.
    static func all<Principal>(_ table: EndpointTable<Principal>, _ credential: Credential = .bearer) -> [FuzzTarget] {
        table.endpoints.map { endpoint in
            FuzzTarget(
                method: { if case .only(let method) = endpoint.method { method.rawValue } else { "PATCH" } }(),
                path: endpoint.path.text,
                parameters: endpoint.path.parameterNames,
                query: endpoint.query.parameters,
                body: endpoint.body?.schema,
                credential: credential
            )
        }
    }

    /// Whether a request that is right makes or drops a database, or computes a password's hash.
    var isCostly: Bool {
        if method == "DELETE" { return path.hasSuffix("{workspace}") || path.hasSuffix("/tenants/{tenant}") }
        let costly = [
            "/workspaces", "/organizations", "/tenants", "/members", "/sessions", "/signin", "/login", "/setup",
        ]
        return method == "POST" && costly.contains { path.hasSuffix($0) }
    }
}

/// A request as it goes over the wire.
struct FuzzRequest: Sendable, CustomStringConvertible {
    var method: String
    var target: String
    var headers: [(String, String)]
    var body: [UInt8]?

    /// Whether the target is one by RFC 9112: visible ASCII characters.
    var isHTTP: Bool { target.utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// Everything that is needed to send it again, but for the credential.
    var description: String {
        let shown = headers.filter { $0.0 != "authorization" && $0.0 != "x-api-key" }
        return "\(method) \(target) \(shown) \(body.map { String(decoding: $0, as: UTF8.self) } ?? "")"
    }
}
