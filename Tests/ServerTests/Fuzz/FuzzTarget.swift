import Endpoints
import HTTPTypes
import Server

/// An operation to throw requests at, whichever surface it belongs to.
struct FuzzTarget: Sendable {
    enum Surface: Sendable {
        case native, fluxbase, clerk, boltz
    }

    let surface: Surface
    let operation: String
    let access: Access
    let method: String
    let path: String
    let parameters: [String]
    let query: [QueryParameter]
    let body: Schema?

    /// All operations of a table.
    static func all<Principal>(_ table: EndpointTable<Principal>, of surface: Surface) -> [FuzzTarget] {
        table.endpoints.map { endpoint in
            FuzzTarget(
                surface: surface,
                operation: endpoint.operationID,
                access: endpoint.access,
                method: { if case .only(let method) = endpoint.method { method.rawValue } else { "PATCH" } }(),
                path: endpoint.path.text,
                parameters: endpoint.path.parameterNames,
                query: endpoint.query.parameters,
                body: endpoint.body?.schema
            )
        }
    }

    /// The callers whom the operation takes, whatever else they ask of it; nobody where it asks for no credential.
    var callers: [FuzzCredential.Kind] {
        guard case .restricted(let audience, let permission) = access else { return [] }
        switch (surface, audience) {
        case (.boltz, .any): return [.adminKey, .workspaceKey]
        case (.boltz, _): return [.adminKey]
        case (.clerk, .any): return [.adminKey, .session, .organizationSession]
        case (.clerk, _): return [.adminKey]
        case (_, .operator): return [.operatorKey]
        case (_, .admin): return [.adminKey, .owner]
        case (_, .owner): return [.adminKey, .owner, .member]
        // What asks for no permission is what people do about themselves.
        case (_, .any): return permission == nil ? [.owner] : [.adminKey, .owner]
        }
    }

    /// True if a valid request creates a database.
    var isCostly: Bool {
        method == "POST" && ["/workspaces", "/organizations", "/tenants"].contains { path.hasSuffix($0) }
    }

    /// True if a valid request removes a resource that other requests use.
    var isFinal: Bool { method == "DELETE" || ["/revoke", "/archive"].contains { path.hasSuffix($0) } }

    /// True if a valid request ends the session of its sender.
    var endsSession: Bool { ["/signout", "/logout", "/sessions/current"].contains { path.hasSuffix($0) } }
}

/// A request as it goes over the wire.
struct FuzzRequest: Sendable, CustomStringConvertible {
    var method: String
    var target: String
    var headers: [(String, String)]
    var body: [UInt8]?
    var aim: FuzzAim?

    /// True if the request target is valid by RFC 9112: visible ASCII characters.
    var isHTTP: Bool { target.utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// Everything that is needed to send it again, but for the credential.
    var description: String {
        let shown = headers.filter { $0.0 != "authorization" && $0.0 != "x-api-key" }
        return "\(method) \(target) \(shown) \(body.map { String(decoding: $0, as: UTF8.self) } ?? "")"
    }
}
