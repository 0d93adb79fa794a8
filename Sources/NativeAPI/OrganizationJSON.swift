import Endpoints
import JSON
import Keys
import Tenancy

/// The JSON of an organization in the native API.
struct OrganizationJSON: JSONWritable {
    let organization: Organization

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("name", NativeSchema.name),
            .required("slug", .string(min: 1, max: 63).described("The short name in URLs.")),
            .required(
                "token_prefix",
                .string(min: 1, max: 4).orNull.described("The prefix of new tokens, instead of Mortise's own prefixes.")
            ),
            .required("default_workspace_id", NativeSchema.id.orNull),
            .required("created_at", NativeSchema.time),
            .required("updated_at", NativeSchema.time),
        ])
        .named("Organization")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: organization.id))
            $0.member("name", organization.name)
            $0.member("slug", organization.slug)
            $0.member("token_prefix", organization.tokenPrefix)
            $0.member("default_workspace_id", organization.defaultWorkspaceID.map(UUIDv7.text(of:)))
            $0.member("created_at", organization.createdAt.rfc3339)
            $0.member("updated_at", organization.updatedAt.rfc3339)
        }
    }
}
