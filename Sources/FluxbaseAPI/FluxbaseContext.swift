import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import Service
import Surfaces
import Tenancy

/// What all routes share.
struct FluxbaseContext: Sendable {
    let platform: Platform
    let clients: ClientAddresses

    /// How many elements a list has at most; none of Fluxbase's has pages.
    static let maximumList = KeyService.longestListing

    /// Who asks, from where, under which id, and with which `Idempotency-Key` where `path` is given.
    func caller(_ request: FluxbaseRequest, path: String? = nil) throws -> Caller {
        clients.caller(request, as: try request.caller, path: path)
    }

    /// Where a request without a caller comes from.
    func origin(_ request: FluxbaseRequest) -> RequestOrigin {
        RequestOrigin(
            address: clients.address(request.headers, request.context.remoteAddress),
            requestID: request.context.requestID
        )
    }

    /// Who may call what.
    ///
    /// Sign-in and refresh are open: the SDK sends them a key or an expired token that must not matter.
    var security: EndpointSecurity<Principal> {
        EndpointSecurity(
            authenticate: { [platform, clients] headers, context, isAgain in
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
                    return try await platform.access.authenticate(credential, from: address, isAgain: isAgain)
                }
                return try await platform.access.authenticate(
                    workspaceKey: credential,
                    from: address,
                    isAgain: isAgain,
                    permissions: FluxbaseScopes.permissions
                )
            },
            authorize: { principal, access in try FluxbaseScopes.authorize(principal, access) }
        )
    }

    // MARK: Tenants

    /// The organization that the caller belongs to: what Fluxbase calls the instance.
    func organization(of principal: Principal) throws -> String {
        guard let organization = principal.organizationID else {
            throw Problem(.forbidden, detail: "This needs an admin key or a member of an organization.")
        }
        return UUIDv7.text(of: organization)
    }

    /// The keys of a tenant: the one that `X-FB-Tenant` names by id or slug, else the one that the caller's token names: the
    /// default one, or the oldest that the caller reaches.
    ///
    /// A tenant that is not the caller's, and one that was deleted, is answered as one that does not exist.
    func keys(
        of request: FluxbaseRequest,
        _ home: (_ tenant: String?) async throws -> KeyHome
    ) async throws -> KeyHome {
        do {
            let home = try await home(try await tenant(request))
            guard home.workspace?.state != .archived else { throw Refusal.notFound }
            return home
        } catch Refusal.notFound {
            throw Self.tenantNotFound
        }
    }

    /// The path by which twins of a request are known: with the tenant in it, however the request named it.
    static func path(_ suffix: String, _ home: KeyHome) -> String {
        "/api/v1/tenants/\(home.workspaceID.map(UUIDv7.text(of:)) ?? "")/\(suffix)"
    }

    private func tenant(_ request: FluxbaseRequest) async throws -> String? {
        if let named = request.headers[.xFBTenant], !named.isEmpty { return FluxbaseInput.idOrSlug(named) }
        return try await platform.access.homeWorkspace(of: try request.caller).map(UUIDv7.text(of:))
    }
}

/// Where Fluxbase's users put their credentials.
enum FluxbaseCredential {
    /// The credential of a request.
    ///
    /// The SDK fills `Authorization` and `apikey` by itself, so that what somebody took the trouble to set comes first; after sign-in
    /// `apikey` is still what the client was made with, so that it comes last.
    static func find(in headers: HTTPFields) -> String? {
        let authorization = headers[.authorization] ?? ""
        let candidates = [
            headers[.xServiceKey], after("servicekey ", in: authorization), headers[.xClientKey], headers[.xAPIKey],
            BearerCredential.read(authorization), headers[.apikey],
        ]
        return candidates.lazy.compactMap(\.self).first { !$0.isEmpty }
    }

    /// Whether it is a key of a workspace, and not one of an organization, of the platform, or a session.
    static func isOfWorkspace(_ credential: String) -> Bool {
        guard let token = try? Token(credential) else { return false }
        return !token.parsed.workspaceRef.isRoot
    }

    /// What follows a scheme, whose case does not matter (RFC 9110 section 11.1).
    private static func after(_ scheme: String, in value: String) -> String? {
        guard value.prefix(scheme.count).lowercased() == scheme else { return nil }
        return String(value.dropFirst(scheme.count).drop { $0 == " " })
    }
}
