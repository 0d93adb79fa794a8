import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import Service
import Surfaces
import Tenancy

/// The parts that all routes of Fluxbase's dialect use.
struct FluxbaseContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses

    /// The maximum number of elements in a list.
    ///
    /// Fluxbase's lists have no pages.
    static let maximumList = KeyService.longestListing

    /// Returns the caller of a request: principal, address and request id, and with `path` also its `Idempotency-Key`.
    func caller(_ request: FluxbaseRequest, path: String? = nil) throws -> Caller {
        clients.caller(request, as: try request.caller, path: path)
    }

    /// Returns the origin of a request without a caller.
    func origin(_ request: FluxbaseRequest) -> RequestOrigin {
        RequestOrigin(
            address: clients.address(request.headers, request.context.remoteAddress),
            requestID: request.context.requestID
        )
    }

    /// Authenticates callers.
    ///
    /// Sign-in and refresh are open: the SDK sends them a key or an expired token, which must not count.
    var security: EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { [platform, clients] headers, context, isRepeated in
                guard let credential = FluxbaseCredential.find(in: headers) else {
                    throw Problem(
                        .unauthorized,
                        code: FluxbaseProblems.Code.missingAuthentication,
                        detail: "Missing authentication",
                        headers: Problem.unauthorized.headers
                    )
                }
                let address = clients.address(headers, context.remoteAddress)
                guard FluxbaseCredential.isOfWorkspace(credential) else {
                    return try await platform.access.authenticate(credential, from: address, isRepeated: isRepeated)
                }
                // The scopes of a key of Clerk's dialect are words of the application. There, only a secret key makes keys, and claims, which
                // this dialect does not have, may restrict a key.
                let isOfClerk = FluxbaseCredential.isOfClerk(credential)
                return try await platform.access.authenticate(
                    workspaceKey: credential,
                    from: address,
                    isRepeated: isRepeated,
                    permissions: { isOfClerk ? PermissionSet([]) : FluxbaseScopes.permissions($0) }
                )
            },
            authorize: { principal, access in try FluxbaseScopes.authorize(principal, access) },
            describe: \.accessLogMembers,
            onBehalf: { try await $0.takingTurns($1) }
        )
    }

    // MARK: Tenants

    /// Returns the organization of the caller, which Fluxbase calls the instance.
    func organization(of principal: Principal) throws -> String {
        guard let organization = principal.organizationID else {
            throw Problem(.forbidden, detail: "This needs an admin key or a member of an organization.")
        }
        return UUIDv7.text(of: organization)
    }

    /// Returns the key collection of a tenant.
    ///
    /// The tenant is the one that `X-FB-Tenant` names by id or slug, otherwise the tenant of the caller's token, otherwise the
    /// organization's default tenant, otherwise the oldest tenant that the caller can access.
    ///
    /// - Throws: The same refusal for another organization's tenant, for a deleted one and for one that never existed.
    func keys(
        of request: FluxbaseRequest,
        _ home: (_ tenant: String?) async throws -> KeyCollection
    ) async throws -> KeyCollection {
        do {
            let home = try await home(try await tenant(request))
            guard home.workspace?.state != .archived else { throw Refusal.notFound }
            return home
        } catch Refusal.notFound {
            throw Self.tenantNotFound
        }
    }

    /// Returns the path that identifies a request for replays.
    ///
    /// It contains the tenant's id, however the request named the tenant.
    static func path(_ suffix: String, _ home: KeyCollection) -> String {
        "/api/v1/tenants/\(home.workspaceID.map(UUIDv7.text(of:)) ?? "")/\(suffix)"
    }

    private func tenant(_ request: FluxbaseRequest) async throws -> String? {
        if let named = request.headers[.xFBTenant], !named.isEmpty { return FluxbaseInput.idOrSlug(named) }
        return try await platform.access.homeWorkspace(of: try request.caller).map(UUIDv7.text(of:))
    }
}

/// Finds the credential of a request of Fluxbase's clients.
enum FluxbaseCredential {
    /// Returns the credential of a request.
    ///
    /// Headers that a user set explicitly come first, because the SDK fills `Authorization` and `apikey` by itself. `apikey` comes last,
    /// because after a sign-in it still holds the key that the client was created with.
    static func find(in headers: HTTPFields) -> String? {
        let authorization = headers[.authorization] ?? ""
        let candidates = [
            headers[.xServiceKey], after("servicekey ", in: authorization), headers[.xClientKey], headers[.xAPIKey],
            BearerCredential.read(authorization), headers[.apikey],
        ]
        return candidates.lazy.compactMap(\.self).first { !$0.isEmpty }
    }

    /// True if a credential is a key of a workspace, not an admin key, an operator key or a session.
    static func isOfWorkspace(_ credential: String) -> Bool {
        guard let token = try? Token(credential) else { return false }
        return !token.parsed.workspaceRef.isRoot
    }

    /// True if a credential is a key that was made through Clerk's dialect.
    static func isOfClerk(_ credential: String) -> Bool { (try? Token(credential))?.parsed.prefix == .apiKey }

    /// Returns the text after an authentication scheme.
    ///
    /// Schemes are case-insensitive (RFC 9110, section 11.1).
    private static func after(_ scheme: String, in value: String) -> String? {
        guard value.prefix(scheme.count).lowercased() == scheme else { return nil }
        return String(value.dropFirst(scheme.count).drop { $0 == " " })
    }
}
