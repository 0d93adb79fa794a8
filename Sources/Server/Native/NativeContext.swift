import HTTPTypes
import Keys
import NIOCore
import Service
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
        let idempotency = path.flatMap { path in
            request.idempotencyKey.map { key in
                IdempotentRequest(
                    key: key,
                    method: request.head.method.rawValue,
                    path: path,
                    query: request.rawQuery ?? "",
                    body: Array(request.rawBody.readableBytesView)
                )
            }
        }
        return Caller(
            principal: try request.caller,
            address: clients.address(request.headers, request.context.remoteAddress)?.description,
            requestID: request.context.requestID,
            idempotency: idempotency
        )
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
            authenticate: { [platform, clients] headers, context in
                guard let value = headers[.authorization], let token = BearerCredential.read(value) else {
                    throw Problem.unauthorized
                }
                return try await platform.access.authenticate(
                    token,
                    from: clients.address(headers, context.remoteAddress)
                )
            },
            authorize: { principal, access in
                guard case .restricted(let audience, let name) = access else { return }
                switch (audience, principal.reach) {
                case (.operator, .organization), (.operator, .workspaces):
                    throw Problem(.forbidden, detail: "This operation needs an operator key.")
                case (.admin, .platform), (.owner, .platform):
                    throw Problem(
                        .forbidden,
                        detail:
                            "This operation needs an admin key of the organization; operator keys do not reach inside."
                    )
                // What they come to is decided where it is known what is whose.
                case (.owner, _) where principal.ownsClientKeys: return
                default: break
                }
                if let permission = name.flatMap(Permission.init(rawValue:)) {
                    try principal.require(permission)
                } else if principal.reach == .platform {
                    try principal.require(.platform)
                }
            }
        )
    }
}

extension Access {
    /// Whoever reaches the organization and has this permission; of an operator `platform:*` is asked instead.
    static func anybody(_ permission: Permission) -> Access { .any(permission.rawValue) }

    /// Admin keys and members with this permission.
    static func admin(_ permission: Permission) -> Access { .admin(permission.rawValue) }

    /// The same, and members without it for what is their own.
    static func owner(_ permission: Permission) -> Access { .owner(permission.rawValue) }
}
