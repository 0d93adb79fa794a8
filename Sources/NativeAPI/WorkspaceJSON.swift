import Endpoints
import JSON
import Keys
import Tenancy

/// The JSON of a workspace in the native API.
struct WorkspaceJSON: JSONWritable {
    let workspace: Workspace

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("organization_id", NativeSchema.id),
            .required(
                "ref",
                .string(min: 8, max: 8).described("The workspace's reference in its tokens. It is never reused.")
            ),
            .required(
                "slug",
                .string(min: 1, max: 63).described("The short name in URLs, unique in the organization.")
            ),
            .required("name", NativeSchema.name.orNull),
            .required("cluster_id", NativeSchema.id.described("The PostgreSQL server that holds its database.")),
            .required("state", .oneOf(WorkspaceState.allCases.map(\.rawValue))),
            .required("is_default", .boolean.described("True for the workspace of requests that name none.")),
            .required(
                "held_by_operator",
                .boolean.described(
                    "True if an operator suspended or archived the workspace. Then only an operator can resume or restore it."
                )
            ),
            .required(
                "member_scopes",
                KeySchema.scopes.orNull.described(
                    """
                    The scopes that members can give to their own client keys. Null allows every scope without a wildcard. Sessions of an \
                    application give none.
                    """
                )
            ),
            .required("created_at", NativeSchema.time),
            .required("updated_at", NativeSchema.time),
            .required("archived_at", NativeSchema.time.orNull),
        ])
        .named("Workspace")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: workspace.id))
            $0.member("organization_id", UUIDv7.text(of: workspace.organizationID))
            $0.member("ref", workspace.ref.text)
            $0.member("slug", workspace.slug)
            $0.member("name", workspace.name)
            $0.member("cluster_id", UUIDv7.text(of: workspace.clusterID))
            $0.member("state", workspace.state.rawValue)
            $0.member("is_default", workspace.isDefault)
            $0.member("held_by_operator", workspace.isHeldByOperator)
            $0.key("member_scopes")
            if let scopes = workspace.memberScopes { $0.array(scopes) } else { $0.null() }
            $0.member("created_at", workspace.createdAt.rfc3339)
            $0.member("updated_at", workspace.updatedAt.rfc3339)
            $0.member("archived_at", workspace.archivedAt?.rfc3339)
        }
    }
}
