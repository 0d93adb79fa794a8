import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import Service
import Surfaces
import Tenancy

/// The operations on tenants, which are the workspaces of the caller's organization.
///
/// A deleted tenant is an archived workspace. No operation here returns it.
struct FluxbaseTenantRoutes: Sendable {
    let context: FluxbaseContext

    var endpoints: [FluxbaseEndpoint] { [list, mine, create, get, update, delete] }

    private var workspaces: WorkspaceService { context.platform.workspaces }

    private func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        access: Access = .admin(),
        query: QuerySchema = .ignored,
        body: RequestBodySchema? = nil,
        _ response: EndpointResult,
        makes: Bool = false,
        handler: @escaping FluxbaseEndpoint.Handler
    ) -> FluxbaseEndpoint {
        FluxbaseEndpoint(
            method,
            "/api/v1/admin/tenants\(suffix)",
            id: id,
            tag: "Tenants",
            summary: summary,
            access: access,
            parameters: suffix.contains("{id}") ? [FluxbaseContext.idParameter] : [],
            query: query,
            body: body,
            responses: [response],
            problems: [.conflict, .workspaceUnavailable, .serviceUnavailable],
            takesIdempotencyKey: makes,
            // Creating or dropping a database can take long.
            deadline: method == .get ? .seconds(30) : .seconds(120),
            waits: method == .get ? .usual : .long
        ) { request in
            do {
                return try await handler(request)
            } catch Refusal.notFound {
                throw FluxbaseContext.tenantNotFound
            }
        }
    }

    // MARK: Reading

    /// Returns the tenants that the caller can access, newest first.
    private func reachable(_ request: FluxbaseRequest) async throws -> [Workspace] {
        try await workspaces.listing(
            WorkspaceFilter(states: [.creating, .active, .suspended]),
            limit: FluxbaseContext.maximumList,
            by: try context.caller(request)
        )
    }

    private var list: FluxbaseEndpoint {
        endpoint(
            .get,
            "",
            id: "fluxbaseListTenants",
            "List the tenants that the caller can access",
            EndpointResult(.ok, "The tenants.", FluxbaseTenantJSON.list)
        ) { request in
            let found = try await reachable(request)
            return try await .longList(of: try request.caller.organizationID, on: context.platform) { writer in
                writer.array(found.map { JSONValue.object(FluxbaseTenantJSON.object($0)) })
            }
        }
    }

    private var mine: FluxbaseEndpoint {
        endpoint(
            .get,
            "/mine",
            id: "fluxbaseListMyTenants",
            "List the tenants that the caller manages",
            EndpointResult(.ok, "The tenants.", FluxbaseTenantJSON.mine)
        ) { request in
            let principal = try request.caller
            let managed = try await reachable(request)
                .filter { principal.member == nil || FluxbaseRole.isAdmin(principal.role(in: $0.id)) }
            return try await .longList(of: principal.organizationID, on: context.platform) { writer in
                writer.array(
                    managed.map { workspace -> JSONValue in
                        var tenant = FluxbaseTenantJSON.object(workspace)
                        tenant["my_role"] = "tenant_admin"
                        return .object(tenant)
                    }
                )
            }
        }
    }

    private var get: FluxbaseEndpoint {
        endpoint(
            .get,
            "/{id}",
            id: "fluxbaseGetTenant",
            "Get a tenant",
            EndpointResult(.ok, "The tenant.", FluxbaseTenantJSON.schema)
        ) { request in
            .json(JSONValue.object(FluxbaseTenantJSON.object(try await context.tenant(inPathOf: request))))
        }
    }

    // MARK: Changing

    private var create: FluxbaseEndpoint {
        endpoint(
            .post,
            "",
            id: "fluxbaseCreateTenant",
            "Create a tenant. Its database exists when the answer is sent",
            access: .admin(Permission.workspacesWrite),
            body: .required(FluxbaseSchema.tenantCreate),
            EndpointResult(.created, "The tenant.", FluxbaseTenantJSON.created),
            makes: true
        ) { request in
            guard let organization = try request.caller.organizationID else { throw Refusal.notFound }
            let new = NewWorkspace(
                organizationID: organization,
                name: try request.body.required("name"),
                slug: try request.body.required("slug"),
                metadata: try FluxbaseInput.metadata(request.body)
            )
            let path = "/api/v1/admin/tenants in \(UUIDv7.text(of: organization))"
            let made = try await workspaces.create(new, by: try context.caller(request, path: path)) { workspace in
                let tenant = FluxbaseTenantJSON.object(workspace)
                var answer = tenant
                answer["tenant"] = .object(tenant)
                answer["invitation_sent"] = false
                return JSONValue.object(answer).text
            }
            return .stored(made.answer, isReplay: made.isReplay, status: .created)
        }
    }

    private var update: FluxbaseEndpoint {
        endpoint(
            .patch,
            "/{id}",
            id: "fluxbaseUpdateTenant",
            "Change a tenant. An absent member stays as it is",
            access: .admin(Permission.workspacesWrite),
            body: .optional(FluxbaseSchema.tenantUpdate),
            EndpointResult(.ok, "The changed tenant.", FluxbaseTenantJSON.schema)
        ) { request in
            let workspace = try await context.tenant(inPathOf: request)
            var change = WorkspaceChange(metadata: try FluxbaseInput.metadata(request.body))
            if let name: String = try request.body.optional("name") { change.name = name }
            let changed = try await workspaces.update(
                UUIDv7.text(of: workspace.id),
                change,
                by: try context.caller(request)
            )
            return .json(JSONValue.object(FluxbaseTenantJSON.object(changed)))
        }
    }

    private var delete: FluxbaseEndpoint {
        endpoint(
            .delete,
            "/{id}",
            id: "fluxbaseDeleteTenant",
            "Delete a tenant. Its keys are refused from now on, and with `hard=true` its database is dropped",
            access: .admin(Permission.workspacesWrite),
            query: QuerySchema(
                [QueryParameter("hard", .string(max: 16), "`true` also drops the database.")],
                unknown: .ignored
            ),
            EndpointResult(.noContent, "Deleted.")
        ) { request in
            let isHard = Self.isHard(request)
            let workspace = try await context.tenant(
                inPathOf: request,
                in: isHard ? Set(WorkspaceState.allCases) : FluxbaseContext.tenantStates
            )
            guard !workspace.isDefault else {
                throw Problem(
                    .invalidRequest,
                    code: FluxbaseProblems.Code.invalidInput,
                    detail: "Cannot delete the default tenant"
                )
            }
            let (name, caller) = (UUIDv7.text(of: workspace.id), try context.caller(request))
            // A hard deletion goes on with one that was interrupted, and a tenant whose creation is unfinished has nothing to archive.
            if !isHard || WorkspaceState.archived.origins.contains(workspace.state) {
                _ = try await workspaces.archive(name, by: caller)
            }
            if isHard { try await workspaces.delete(name, by: caller) }
            return .noContent
        }
        .stopping { !Self.isHard($0) }
    }

    /// True if a deletion drops the database, too, which takes longer than to refuse the keys.
    private static func isHard(_ request: FluxbaseRequest) -> Bool {
        (try? request.query.optional("hard", as: String.self)) == "true"
    }
}

extension FluxbaseContext {
    /// The problem of a tenant that does not exist for the caller.
    static let tenantNotFound = Problem(.notFound, code: "NOT_FOUND", detail: "tenant not found")

    /// The states of the workspaces that are tenants for a client.
    ///
    /// Every other workspace counts as deleted.
    static let tenantStates: Set<WorkspaceState> = [.creating, .active, .suspended]

    /// Returns the tenant that the path names by id or slug.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - states: The states in which the workspace is found. Defaults to ``tenantStates``.
    /// - Returns: The workspace.
    /// - Throws: `Refusal.notFound`, also for a workspace in another state; the database's errors.
    func tenant(
        inPathOf request: FluxbaseRequest,
        in states: Set<WorkspaceState> = Self.tenantStates
    ) async throws -> Workspace {
        let name = FluxbaseInput.idOrSlug(try request.parameter("id"))
        let workspace = try await platform.workspaces.get(
            name,
            includingDeleting: states.contains(.deleting),
            by: try caller(request)
        )
        guard states.contains(workspace.state) else { throw Refusal.notFound }
        return workspace
    }
}
