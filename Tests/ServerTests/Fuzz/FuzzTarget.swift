import Endpoints
import HTTPTypes
import Server

/// An operation of a surface that receives the generated requests.
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

    /// Returns all operations of a table.
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

    /// The kinds of callers that the operation accepts.
    ///
    /// The array is empty if the operation needs no credential.
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
        // An operation without a permission concerns the caller's own user.
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

    /// A description with everything that is needed to repeat the request, except the credential.
    var description: String {
        let shown = headers.filter { $0.0 != "authorization" && $0.0 != "x-api-key" }
        return "\(method) \(target) \(shown) \(body.map { String(decoding: $0, as: UTF8.self) } ?? "")"
    }
}
