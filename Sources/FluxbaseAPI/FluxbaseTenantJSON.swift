import Endpoints
import FoundationEssentials
import JSON
import Keys
import People
import Tenancy

/// The JSON of a workspace in Fluxbase's dialect, where it is a tenant.
enum FluxbaseTenantJSON {
    /// Returns the members.
    static func object(_ workspace: Workspace) -> JSONObject {
        var object: JSONObject = [
            "id": .string(UUIDv7.text(of: workspace.id)),
            "slug": .string(workspace.slug),
            "name": .string(workspace.name ?? workspace.slug),
            "status": .string(status(workspace.state)),
            "is_default": .bool(workspace.isDefault),
            "metadata": (try? JSONValue(parsing: workspace.metadata.utf8)) ?? [:],
            "created_at": .string(workspace.createdAt.rfc3339),
            "updated_at": .string(workspace.updatedAt.rfc3339),
        ]
        object["deleted_at"] = workspace.archivedAt.map { .string($0.rfc3339) }
        return object
    }

    /// Returns the state in one of the SDK's four words.
    ///
    /// A tenant that accepts no requests is in `error`.
    private static func status(_ state: WorkspaceState) -> String {
        switch state {
        case .creating: "creating"
        case .active: "active"
        case .suspended: "error"
        case .archived, .deleting: "deleting"
        }
    }

    private static let fields: [Field] = [
        .required("id", FluxbaseSchema.id), .required("slug", .string(max: 63)), .required("name", .string(max: 255)),
        .required("status", .oneOf("creating", "active", "deleting", "error")), .required("is_default", .boolean),
        .required("metadata", .anyObject(maximumBytes: 65_536)),
        .required("created_at", FluxbaseSchema.time), .required("updated_at", FluxbaseSchema.time),
        .optional("deleted_at", FluxbaseSchema.time),
    ]

    /// The schema of a tenant.
    static let schema = Schema.object(fields)

    /// The schema of a list.
    static let list = Schema.array(of: schema, max: FluxbaseContext.maximumList)

    /// The schema of the list of tenants that the caller manages.
    static let mine = Schema.array(
        of: .object(fields + [.required("my_role", .oneOf("tenant_admin"))]),
        max: FluxbaseContext.maximumList
    )

    /// The schema of a new tenant, in the shapes of the SDK and of Fluxbase's server at once.
    static let created = Schema.object(
        fields + [.required("tenant", schema), .required("invitation_sent", .boolean)]
    )

    /// Returns the JSON of a tenant's admin.
    static func admin(_ member: Member, of workspace: Workspace) -> JSONObject {
        [
            "id": .string(UUIDv7.text(of: member.id)),
            "tenant_id": .string(UUIDv7.text(of: workspace.id)),
            "user_id": .string(UUIDv7.text(of: member.user.id)),
            "email": .string(member.user.email),
            "dashboard_role": "tenant_admin",
            "created_at": .string(member.createdAt.rfc3339),
        ]
    }

    /// The schema of a tenant's admin.
    static let admin = Schema.object([
        .required("id", FluxbaseSchema.id), .required("tenant_id", FluxbaseSchema.id),
        .required("user_id", FluxbaseSchema.id), .required("email", .string(max: 254)),
        .required("dashboard_role", .oneOf("tenant_admin")), .required("created_at", FluxbaseSchema.time),
    ])
}
