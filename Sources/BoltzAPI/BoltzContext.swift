import Endpoints
import HTTPTypes
import Keys
import NIOCore
import Service
import Surfaces

/// The parts that all routes of Boltz's dialect use.
struct BoltzContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses

    /// Returns the caller of a request: principal, address and request id, and with `path` also its `Idempotency-Key`.
    func caller(_ request: BoltzRequest, path: String? = nil) throws -> Caller {
        clients.caller(request, as: try request.caller, path: path)
    }

    /// Authenticates callers, and checks the kind and permission of their key before anything that the request names.
    var security: EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { [platform, clients] headers, context, isRepeated in
                guard let text = headers[.xAPIKey], !text.isEmpty else {
                    throw Problem(.unauthorized, detail: "This operation needs an API key in the x-api-key header.")
                }
                let address = clients.address(headers, context.remoteAddress)
                // A member's session is not an API key.
                guard let token = try? Token(text) else { throw Refusal.unauthenticated }
                if token.parsed.workspaceRef.isRoot {
                    return try await platform.access.authenticate(text, from: address, isRepeated: isRepeated)
                }
                return try await platform.access.authenticate(workspaceKey: text, from: address, isRepeated: isRepeated)
            },
            authorize: { principal, access in
                guard case .restricted(let audience, let name) = access else { return }
                if case .workspaceKey = principal.identity {
                    guard audience == .any else { throw Self.adminOnly }
                    return
                }
                guard principal.organizationID != nil else {
                    throw Problem(.forbidden, detail: "This operation needs an admin API key of an organization.")
                }
                if let permission = name.flatMap(Permission.init(rawValue:)) { try principal.require(permission) }
            },
            describe: \.accessLogMembers,
            onBehalf: { try await $0.takingTurns($1) }
        )
    }

    /// The refusal of a workspace key, which can only read its own identity.
    private static let adminOnly = Problem(
        .forbidden,
        detail: "This operation needs an admin API key; a workspace API key does not manage keys or workspaces."
    )
}
