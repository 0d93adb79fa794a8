import Endpoints
import HTTPTypes
import Keys
import NIOCore
import Service
import Surfaces
import Tenancy

/// What all routes share.
struct NativeContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses
    let now: @Sendable () -> Timestamp

    /// Who asks, from where, under which id.
    ///
    /// Operations that read `Idempotency-Key` give the path with ids in place of slugs, so that a workspace named in two ways is one
    /// workspace.
    func caller(_ request: NativeRequest, path: String? = nil) throws -> Caller {
        clients.caller(request, as: try request.caller, path: path)
    }

    /// What `limit` and `cursor` ask for.
    func page(_ request: NativeRequest) throws -> PageRequest {
        let limit: Int = try request.query.required("limit")
        guard let text: String = try request.query.optional("cursor") else { return PageRequest(limit: limit) }
        guard let cursor = PageCursor(text) else {
            throw Problem.invalidRequest(Fault(.query("cursor"), "must be the `next_cursor` of a page"))
        }
        return PageRequest(limit: limit, .after(cursor))
    }

    /// Who may call what: the credential's kind and permission are looked at before anything that the request names, so that a refusal
    /// tells nothing about it.
    var security: EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { [platform, clients] headers, context, isAgain in
                guard let value = headers[.authorization], let token = BearerCredential.read(value) else {
                    throw Problem.unauthorized
                }
                return try await platform.access.authenticate(
                    token,
                    from: clients.address(headers, context.remoteAddress),
                    isAgain: isAgain
                )
            },
            authorize: { principal, access in try access.authorize(principal) }
        )
    }
}
