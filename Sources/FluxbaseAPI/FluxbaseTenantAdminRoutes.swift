import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import People
import Service
import Surfaces
import Tenancy

/// The operations on a tenant's admins: the members of its workspace with the role `owner` or `admin`.
///
/// Admins of the whole organization are neither listed nor removed here.
struct FluxbaseTenantAdminRoutes: Sendable {
    let context: FluxbaseContext

    var endpoints: [FluxbaseEndpoint] { [list, assign, remove] }

    private var members: MemberService { context.platform.members }

    private func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        body: RequestBodySchema? = nil,
        _ response: EndpointResult,
        makes: Bool = false,
        handler: @escaping @Sendable (Workspace, FluxbaseRequest) async throws -> EndpointResponse
    ) -> FluxbaseEndpoint {
        FluxbaseEndpoint(
            method,
            "/api/v1/admin/tenants/{id}/admins\(suffix)",
            id: id,
            tag: "Tenants",
            summary: summary,
            access: .admin(Permission.membersWrite),
            parameters: suffix.isEmpty
                ? [FluxbaseContext.idParameter]
                : [FluxbaseContext.idParameter, PathParameter("user", "The user's id.", .string(max: 4096))],
            query: .ignored,
            body: body,
            responses: [response],
            problems: [.conflict, .serviceUnavailable],
            takesIdempotencyKey: makes
        ) { request in
            let workspace: Workspace
            do {
                workspace = try await context.tenant(inPathOf: request)
            } catch Refusal.notFound {
                throw FluxbaseContext.tenantNotFound
            }
            try request.caller.require(.membersWrite, in: workspace.id)
            do {
                return try await handler(workspace, request)
            } catch Refusal.notFound {
                throw Problem(.notFound, code: "NOT_FOUND", detail: "User not found")
            }
        }
    }

    /// Returns the memberships of a tenant.
    private func memberships(of workspace: Workspace, _ request: FluxbaseRequest) async throws -> [Member] {
        let organization = try context.organization(of: try request.caller)
        var found: [Member] = []
        var page: PageRequest? = PageRequest(limit: 100)
        while let asked = page, found.count < FluxbaseContext.maximumList {
            let answer = try await members.list(
                asked,
                filter: MemberFilter(workspaceID: workspace.id),
                organization: organization,
                by: try context.caller(request)
            )
            found += answer.items
            page = answer.next.map { PageRequest(limit: 100, .after($0)) }
        }
        return found
    }

    private var list: FluxbaseEndpoint {
        endpoint(
            .get,
            "",
            id: "fluxbaseListTenantAdmins",
            "List the admins of a tenant",
            EndpointResult(
                .ok,
                "The admins.",
                .array(of: FluxbaseTenantJSON.admin, max: FluxbaseContext.maximumList)
            )
        ) { workspace, request in
            let admins = try await memberships(of: workspace, request)
                .filter { FluxbaseRole.isAdmin($0.role) }
            return .json(JSONValue.array(admins.map { .object(FluxbaseTenantJSON.admin($0, of: workspace)) }))
        }
    }

    private var assign: FluxbaseEndpoint {
        endpoint(
            .post,
            "",
            id: "fluxbaseAssignTenantAdmin",
            "Add an admin to a tenant",
            body: .required(FluxbaseSchema.tenantAdmin),
            EndpointResult(.created, "The admin.", FluxbaseTenantJSON.admin),
            makes: true
        ) { workspace, request in
            guard let user = FluxbaseInput.id(try request.body.required("user_id")) else { throw Refusal.notFound }
            let path = "/api/v1/admin/tenants/\(UUIDv7.text(of: workspace.id))/admins"
            let made = try await members.makeAdmin(
                user,
                ofWorkspace: workspace.id,
                organization: try context.organization(of: try request.caller),
                by: try context.caller(request, path: path),
                answer: { JSONValue.object(FluxbaseTenantJSON.admin($0, of: workspace)).text }
            )
            return .stored(made.answer, isReplay: made.isReplay, status: .created)
        }
    }

    private var remove: FluxbaseEndpoint {
        endpoint(
            .delete,
            "/{user}",
            id: "fluxbaseRemoveTenantAdmin",
            "Remove an admin from a tenant. The account and its client keys stay",
            EndpointResult(.noContent, "The user is no admin of the tenant any more.")
        ) { workspace, request in
            let user = try FluxbaseInput.id(request, "user", of: "user")
            try await members.removeAdmin(
                user,
                ofWorkspace: workspace.id,
                organization: try context.organization(of: try request.caller),
                by: try context.caller(request)
            )
            return .noContent
        }
    }
}
