import Endpoints
import HTTPTypes
import Keys
import NIOCore
import Service
import Surfaces
import Tenancy

/// The parts that all routes of the native API use.
struct NativeContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses

    /// Returns the caller of a request: principal, address, request id and Idempotency-Key.
    ///
    /// Operations that accept an `Idempotency-Key` pass `path` with ids instead of slugs. A replay then matches, whichever name of the
    /// workspace it uses.
    func caller(_ request: NativeRequest, path: String? = nil) throws -> Caller {
        clients.caller(request, as: try request.caller, path: path)
    }

    /// Returns the page that `limit` and `cursor` request of the list with a mark.
    func page(_ request: NativeRequest, _ mark: CursorMark) throws -> PageRequest {
        let limit: Int = try request.query.required("limit")
        guard let text: String = try request.query.optional("cursor") else { return PageRequest(limit: limit) }
        guard let cursor = PageCursor(try mark.position(text)) else { throw Problem.unknownCursor }
        return PageRequest(limit: limit, .after(cursor))
    }

    /// Authenticates callers and checks the kind and the permission of their credential.
    ///
    /// Both happen before the server looks at anything that the request names, so a refusal reveals nothing about it.
    var security: EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { [platform, clients] headers, context, isRepeated in
                guard let value = headers.single(.authorization), let token = BearerCredential.read(value) else {
                    throw Problem.unauthorized
                }
                return try await platform.access.authenticate(
                    token,
                    from: clients.address(headers, context.remoteAddress),
                    isRepeated: isRepeated
                )
            },
            atOnce: { [platform, clients] headers, context, isRepeated in
                guard let value = headers.single(.authorization), let token = BearerCredential.read(value) else {
                    return nil
                }
                return platform.access.authenticateInMemory(
                    token,
                    from: clients.address(headers, context.remoteAddress),
                    isRepeated: isRepeated
                )
            },
            authorize: { principal, access in try access.authorize(principal) },
            describe: \.accessLogMembers,
            onBehalf: { try await $0.takingTurns($1) }
        )
    }
}
