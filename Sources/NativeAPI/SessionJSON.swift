import Endpoints
import JSON
import Keys
import Service
import Tenancy

/// The JSON of a new or refreshed session in the native API.
struct SessionJSON: JSONWritable {
    let session: SignedIn

    static let schema =
        Schema.object([
            .required(
                "access_token",
                .string(max: 4096).described("The bearer credential of further requests.")
            ),
            .required("token_type", .oneOf("Bearer")),
            .required(
                "expires_in",
                .integer(1...86_400).described("The remaining life of the access token, in seconds.")
            ),
            .required("expires_at", NativeSchema.time),
            .required(
                "refresh_token",
                .string(max: 255)
                    .described(
                        "The token that gets the next access token. It works once; a second use ends the session."
                    )
            ),
            .required("session_id", NativeSchema.id),
            .required("organization_id", NativeSchema.id),
            .required("user", UserJSON.schema),
            .required("memberships", .array(of: MemberJSON.schema, max: 10_000)),
        ])
        .named("Session")

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("access_token", session.accessToken)
            $0.member("token_type", "Bearer")
            $0.member("expires_in", Int64(session.expiresIn))
            $0.member("expires_at", session.expiresAt.rfc3339)
            $0.member("refresh_token", session.refreshToken.reveal())
            $0.member("session_id", UUIDv7.text(of: session.sessionID))
            $0.member("organization_id", UUIDv7.text(of: session.organizationID))
            $0.member("user", UserJSON(user: session.user))
            $0.member("memberships", session.memberships.map(MemberJSON.init(member:)))
        }
    }
}

/// The JSON of the caller in the native API.
struct MeJSON: JSONWritable {
    let principal: Principal
    let me: Me?

    static let schema =
        Schema.object([
            .required("type", .oneOf("operator_key", "admin_key", "member")),
            .required("key_id", NativeSchema.id.orNull.described("The id of the caller's key. Null for members.")),
            .required("name", .string(max: 255).orNull),
            .required("organization_id", NativeSchema.id.orNull.described("Null for operator keys.")),
            .required(
                "permissions",
                .array(of: .oneOf(Permission.allCases.map(\.rawValue)), max: 16)
                    .described("The permissions of a member of single workspaces hold only in those workspaces.")
            ),
            .required("session_id", NativeSchema.id.orNull),
            .required("user", UserJSON.schema.orNull),
            .required("memberships", .array(of: MemberJSON.schema, max: 10_000)),
        ])
        .named("Me")

    func write(to writer: inout JSONWriter) {
        let type: String
        var (keyID, name): (String?, String?)
        switch (principal.identity, principal.reach) {
        case (.key(let key), let reach):
            type = reach == .platform ? "operator_key" : "admin_key"
            (keyID, name) = (UUIDv7.text(of: key.keyID), key.name)
        default:
            type = "member"
            name = principal.member?.name
        }
        writer.object {
            $0.member("type", type)
            $0.member("key_id", keyID)
            $0.member("name", name)
            $0.member("organization_id", principal.organizationID.map(UUIDv7.text(of:)))
            $0.member("permissions", principal.permissions.names)
            $0.member("session_id", me.map { UUIDv7.text(of: $0.sessionID) })
            $0.member("user", me.map { UserJSON(user: $0.user) })
            $0.member("memberships", (me?.memberships ?? []).map(MemberJSON.init(member:)))
        }
    }
}
