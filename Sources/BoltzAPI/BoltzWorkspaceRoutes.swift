import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import Service
import Surfaces
import Tenancy

/// The operations on the organization's workspaces.
struct BoltzWorkspaceRoutes: Sendable {
    let context: BoltzContext

    var endpoints: [BoltzEndpoint] { [create, list, get, update, archive] }

    private static let path = "/compute/v1/admin/workspaces"

    static let parameter = PathParameter("workspace", "The workspace's id.")

    /// Declares an operation on a workspace.
    private func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        access: Access = .admin(Permission.workspacesWrite.rawValue),
        body: RequestBodySchema? = nil,
        handler:
            @escaping @Sendable (_ name: String, _ caller: Caller, _ request: BoltzRequest) async throws -> Workspace
    ) -> BoltzEndpoint {
        BoltzEndpoint(
            method,
            Self.path + "/{workspace}" + suffix,
            id: id,
            tag: BoltzSurface.Tag.workspaces,
            summary: summary,
            access: access,
            parameters: [Self.parameter],
            body: body,
            responses: [EndpointResult(.ok, "The changed workspace.", BoltzWorkspaceJSON.schema)],
            problems: [.conflict, .workspaceUnavailable, .serviceUnavailable],
            // Archiving waits for other changes of the workspace.
            deadline: .seconds(120),
            waits: .long
        ) { request in
            let caller = try context.caller(request)
            guard let id = BoltzIdentifier.readWorkspace(try request.parameter("workspace")) else {
                throw Refusal.notFound
            }
            return .json(BoltzWorkspaceJSON(workspace: try await handler(UUIDv7.text(of: id), caller, request)))
        }
    }

    private var create: BoltzEndpoint {
        BoltzEndpoint(
            .post,
            Self.path,
            id: "boltzCreateWorkspace",
            tag: BoltzSurface.Tag.workspaces,
            summary: "Create a workspace",
            access: .admin(Permission.workspacesWrite.rawValue),
            body: .optional(BoltzSchema.workspaceCreate),
            responses: [EndpointResult(.ok, "The workspace.", BoltzWorkspaceJSON.schema)],
            problems: [.conflict, .workspaceUnavailable, .serviceUnavailable],
            takesIdempotencyKey: true,
            deadline: .seconds(120),
            waits: .long
        ) { request in
            let caller = try context.caller(request, path: Self.path)
            guard let organization = caller.principal.organizationID else { throw Refusal.notFound }
            let new = NewWorkspace(
                organizationID: organization,
                name: try request.body.optional("name"),
                dataRetention: try Self.dataRetention(request.body)
            )
            let made = try await context.platform.workspaces.create(new, by: caller) { workspace in
                BoltzWorkspaceJSON(workspace: workspace).stored
            }
            return .stored(made.answer, isReplay: made.isReplay, status: .ok)
        }
    }

    /// Returns the text to store for the data retention in a body, or `nil` if the body has none.
    ///
    /// The text is built from the parts: a client that sends `7.0` is answered with `7`, the integer that Boltz's types promise.
    private static func dataRetention(_ body: Fields) throws -> String? {
        guard let retention = try body.optional("data_retention", as: Fields.self) else { return nil }
        let unit: String = try retention.required("unit")
        let value: Int64 = try retention.required("value")
        return JSONValue.object(["unit": .string(unit), "value": .integer(value)]).text
    }

    private var list: BoltzEndpoint {
        BoltzEndpoint(
            .get,
            Self.path,
            id: "boltzListWorkspaces",
            tag: BoltzSurface.Tag.workspaces,
            summary: "List workspaces, newest first",
            access: .admin(),
            query: BoltzSchema.page([
                QueryParameter("name", BoltzSchema.name, "The beginning of the name, in upper or lower case.")
            ]),
            responses: [
                EndpointResult(
                    .ok,
                    "A page of workspaces.",
                    BoltzPage<BoltzWorkspaceJSON>.schema(of: BoltzWorkspaceJSON.schema)
                )
            ],
            problems: [.serviceUnavailable]
        ) { request in
            let caller = try context.caller(request)
            let asked = try await BoltzPageRequest(request.query) { id in try await place(id, caller) }
            let filter = WorkspaceFilter(
                states: WorkspaceState.allCases.filter { $0 != .deleting },
                namePrefix: try request.query.optional("name")
            )
            let found = try await context.platform.workspaces.list(asked.page, filter, by: caller)
            return asked.answer(found.items.map(BoltzWorkspaceJSON.init(workspace:)), hasMore: found.hasMore)
        }
    }

    private func place(_ id: String, _ caller: Caller) async throws -> PageCursor? {
        guard let id = BoltzIdentifier.readWorkspace(id) else { return nil }
        do {
            let workspace = try await context.platform.workspaces.get(UUIDv7.text(of: id), by: caller)
            return BoltzWorkspaceJSON(workspace: workspace).place
        } catch Refusal.notFound {
            return nil
        }
    }

    private var get: BoltzEndpoint {
        endpoint(.get, "", id: "boltzGetWorkspace", "Get a workspace", access: .admin()) { name, caller, _ in
            try await context.platform.workspaces.get(name, by: caller)
        }
    }

    private var update: BoltzEndpoint {
        endpoint(
            .post,
            "",
            id: "boltzUpdateWorkspace",
            "Change a workspace",
            body: .optional(BoltzSchema.workspaceUpdate)
        ) { name, caller, request in
            var change = WorkspaceChange()
            switch try request.body.change("name", as: String.self) {
            case .keep: break
            case .clear: change.name = .some(nil)
            case .set(let text): change.name = text
            }
            change.dataRetention = try Self.dataRetention(request.body)
            return try await context.platform.workspaces.update(name, change, by: caller)
        }
    }

    private var archive: BoltzEndpoint {
        endpoint(.post, "/archive", id: "boltzArchiveWorkspace", "Archive a workspace, and refuse its keys") {
            name,
            caller,
            _ in
            try await context.platform.workspaces.archive(name, by: caller)
        }
        .stopping()
    }
}
