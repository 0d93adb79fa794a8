import Endpoints
import JSON
import Keys
import People
import Tenancy

/// The JSON of a user in the native API.
struct UserJSON: JSONWritable {
    let user: User

    /// The account of the identity provider.
    private static let identity =
        Schema.object([
            .required("issuer", .string(max: 2048).described("The issuer, as its ID tokens name it.")),
            .required("subject", .string(max: 255).described("The text that the issuer gives to nobody else.")),
            .required("bound_at", NativeSchema.time.described("The time of the first sign-in.")),
        ])
        .named("UserIdentity")

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("email", .string(min: 3, max: 254)),
            .required("name", NativeSchema.name.orNull),
            .required("has_password", .boolean.described("False if the user cannot sign in with a password.")),
            .required(
                "identity",
                identity.orNull.described("Null for a user who has not signed in with the identity provider.")
            ),
        ])
        .named("User")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: user.id))
            $0.member("email", user.email)
            $0.member("name", user.name)
            $0.member("has_password", user.hasPassword)
            $0.member("identity", user.identity.map(UserIdentityJSON.init))
        }
    }
}

/// The JSON of a user's account of the identity provider.
struct UserIdentityJSON: JSONWritable {
    let identity: UserIdentity

    init(_ identity: UserIdentity) { self.identity = identity }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("issuer", identity.issuer)
            $0.member("subject", identity.subject)
            $0.member("bound_at", identity.boundAt.rfc3339)
        }
    }
}

/// The JSON of a member in the native API.
struct MemberJSON: JSONWritable {
    let member: Member

    static let role = Schema.oneOf(MemberRole.allCases.map(\.rawValue))

    static let schema =
        Schema.object([
            .required("id", NativeSchema.id.described("The id of the membership.")),
            .required("user", UserJSON.schema),
            .required("organization_id", NativeSchema.id),
            .required("workspace_id", NativeSchema.id.orNull.described("Null for a role in the whole organization.")),
            .required("role", role),
            .required("created_at", NativeSchema.time),
            .required("updated_at", NativeSchema.time),
        ])
        .named("Member")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: member.id))
            $0.member("user", UserJSON(user: member.user))
            $0.member("organization_id", UUIDv7.text(of: member.organizationID))
            $0.member("workspace_id", member.workspaceID.map(UUIDv7.text(of:)))
            $0.member("role", member.role.rawValue)
            $0.member("created_at", member.createdAt.rfc3339)
            $0.member("updated_at", member.updatedAt.rfc3339)
        }
    }
}
