import Endpoints
import HTTPTypes
import JSON
import Keys
import Service
import Surfaces
import Tenancy

/// The operations on workspaces.
struct WorkspaceRoutes: Sendable {
    let context: NativeContext

    private static let mark = CursorMark("workspaces")

    var endpoints: [NativeEndpoint] { [create, list, get, update, delete, suspend, resume, archive, restore] }

    /// Declares an operation on a workspace.
    private func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        description: String = "",
        access: Access = .anybody(.workspacesWrite),
        body: RequestBodySchema? = nil,
        response: EndpointResult = EndpointResult(.ok, "The changed workspace.", WorkspaceJSON.schema),
        handler:
            @escaping @Sendable (_ name: String, _ caller: Caller, _ request: NativeRequest) async throws ->
            EndpointResponse
    ) -> NativeEndpoint {
        NativeEndpoint(
            method,
            "/v1/workspaces/{workspace}" + suffix,
            id: id,
            tag: NativeSurface.Tag.workspaces,
            summary: summary,
            description: description,
            access: access,
            parameters: [.workspace],
            body: body,
            responses: [response],
            problems: Self.problems(of: method) + [.serviceUnavailable, .rateLimited],
            // Dropping a database, or waiting for another change, can take long.
            deadline: .seconds(120),
            waits: method == .get || method == .patch ? .usual : .long
        ) { request in
            try await handler(try request.parameter("workspace"), try context.caller(request), request)
        }
    }

    /// Returns the problems that not every operation on a workspace has.
    ///
    /// A change of the settings needs the control database alone.
    private static func problems(of method: EndpointMethod) -> [Problem.Kind] {
        switch method {
        case .only(.get): [.forbidden]
        case .only(.patch): []
        case .only, .any: [.workspaceUnavailable]
        }
    }

    private var create: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/organizations/{organization}/workspaces",
            id: "createWorkspace",
            tag: NativeSurface.Tag.workspaces,
            summary: "Create a workspace",
            description: "The workspace's database exists and is migrated when the answer is sent.",
            access: .anybody(.workspacesWrite),
            parameters: [.organization],
            body: .required(
                .object([
                    .required("name", NativeSchema.name),
                    .optional("slug", DomainSchema.slug.orNull.described("Defaults to a slug made from the name.")),
                    .optional(
                        "cluster",
                        .string(min: 1, max: 63).orNull
                            .described("The name of the cluster for the workspace's database.")
                    ),
                ])
                .named("WorkspaceCreate")
            ),
            responses: [
                EndpointResult(
                    .created,
                    "The active workspace.",
                    WorkspaceJSON.schema,
                    headers: [NativeSchema.replayed]
                )
            ],
            // A repeated request can find that the workspace's database cannot be reached any more.
            problems: [.workspaceUnavailable, .serviceUnavailable, .rateLimited],
            takesIdempotencyKey: true,
            deadline: .seconds(120),
            waits: .long
        ) { request in
            let principal = try request.caller
            let organization = try await context.platform.access.organization(
                request.parameter("organization"),
                for: principal
            )
            let new = NewWorkspace(
                organizationID: organization.id,
                name: try request.body.required("name"),
                slug: try request.body.optional("slug"),
                cluster: try request.body.optional("cluster")
            )
            let path = "/v1/organizations/\(UUIDv7.text(of: organization.id))/workspaces"
            let made = try await context.platform.workspaces.create(new, by: try context.caller(request, path: path)) {
                WorkspaceJSON(workspace: $0).stored
            }
            return .stored(made.answer, isReplay: made.isReplay, status: .created)
        }
    }

    private var list: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/workspaces",
            id: "listWorkspaces",
            tag: NativeSurface.Tag.workspaces,
            summary: "List workspaces, newest first",
            description: "An operator key lists all workspaces, an admin key those of its organization.",
            access: .any(),
            query: .page([
                QueryParameter("organization_id", NativeSchema.id, "Only workspaces of this organization."),
                QueryParameter(
                    "state",
                    .oneOf(WorkspaceState.allCases.map(\.rawValue)),
                    "Only workspaces in this state."
                ),
                NativeSchema.query("A part of the name or the slug."),
            ]),
            responses: [
                EndpointResult(
                    .ok,
                    "A page of workspaces.",
                    NativeSchema.page("WorkspacePage", of: WorkspaceJSON.schema)
                )
            ],
            problems: [.forbidden, .notFound, .serviceUnavailable, .rateLimited]
        ) { request in
            let page = try context.page(request, Self.mark)
            let filter = WorkspaceFilter(
                organizationID: try request.query.optional("organization_id", as: String.self)
                    .flatMap { UUIDv7.parse($0.lowercased()) },
                states: try request.query.optional("state").flatMap(WorkspaceState.init(rawValue:)).map { [$0] } ?? [],
                query: try request.query.optional("query")
            )
            let found = try await context.platform.workspaces.list(page, filter, by: try context.caller(request))
            return .page(
                found.items.map(WorkspaceJSON.init(workspace:)),
                nextCursor: Self.mark.cursor(found.next?.text)
            )
        }
    }

    private var get: NativeEndpoint {
        endpoint(.get, "", id: "getWorkspace", "Get a workspace", access: .any()) { name, caller, _ in
            .json(WorkspaceJSON(workspace: try await context.platform.workspaces.get(name, by: caller)))
        }
    }

    private var update: NativeEndpoint {
        endpoint(
            .patch,
            "",
            id: "updateWorkspace",
            "Change a workspace",
            description: """
                An absent member stays as it is. `null` removes the name, and lets members give every scope without a \
                wildcard to their own client keys.
                """,
            body: .required(
                .object([
                    .optional("name", NativeSchema.name.orNull), .optional("slug", DomainSchema.slug),
                    .optional("member_scopes", KeySchema.scopes.orNull),
                ])
                .named("WorkspacePatch")
            )
        ) { name, caller, request in
            var change = WorkspaceChange(slug: try request.body.optional("slug"))
            switch try request.body.change("name", as: String.self) {
            case .keep: break
            case .clear: change.name = .some(nil)
            case .set(let text): change.name = text
            }
            switch try request.body.change("member_scopes", as: [String].self) {
            case .keep: break
            case .clear: change.memberScopes = .some(nil)
            case .set(let scopes): change.memberScopes = scopes
            }
            return .json(
                WorkspaceJSON(workspace: try await context.platform.workspaces.update(name, change, by: caller))
            )
        }
    }

    private var delete: NativeEndpoint {
        endpoint(
            .delete,
            "",
            id: "deleteWorkspace",
            "Delete a workspace and its database",
            description:
                "Only an archived workspace can be deleted, and never the default workspace. An operator can also delete a workspace whose database is lost.",
            response: EndpointResult(.noContent, "Deleted.")
        ) { name, caller, _ in
            try await context.platform.workspaces.delete(name, by: caller)
            return .noContent
        }
    }

    private var suspend: NativeEndpoint {
        endpoint(
            .post,
            "/suspend",
            id: "suspendWorkspace",
            "Suspend a workspace",
            description: "The workspace's keys are refused until it is resumed."
        ) { name, caller, _ in
            .json(WorkspaceJSON(workspace: try await context.platform.workspaces.suspend(name, by: caller)))
        }
        .stopping()
    }

    private var resume: NativeEndpoint {
        endpoint(
            .post,
            "/resume",
            id: "resumeWorkspace",
            "Resume a suspended workspace",
            description: "Only an operator can resume a workspace that an operator suspended."
        ) { name, caller, _ in
            .json(WorkspaceJSON(workspace: try await context.platform.workspaces.resume(name, by: caller)))
        }
    }

    private var archive: NativeEndpoint {
        endpoint(
            .post,
            "/archive",
            id: "archiveWorkspace",
            "Archive a workspace",
            description:
                "The workspace's keys are refused from now on, and its events stay. It can be restored for 30 days. The default workspace cannot be archived."
        ) { name, caller, _ in
            .json(WorkspaceJSON(workspace: try await context.platform.workspaces.archive(name, by: caller)))
        }
        .stopping()
    }

    private var restore: NativeEndpoint {
        endpoint(
            .post,
            "/restore",
            id: "restoreWorkspace",
            "Restore an archived workspace",
            description: """
                The workspace gets the state that it had before: active or suspended. A workspace that was archived more than 30 days ago \
                cannot be restored. A workspace that is not archived stays as it is. Only an operator can restore a workspace that an operator \
                suspended or archived.
                """
        ) { name, caller, _ in
            .json(WorkspaceJSON(workspace: try await context.platform.workspaces.restore(name, by: caller)))
        }
    }
}
