import Endpoints
import HTTPTypes
import JSON
import Keys
import People
import Service
import Tenancy

/// The JSON of a user in Fluxbase's dialect.
enum FluxbaseUserJSON {
    /// Returns the members of a user.
    ///
    /// The address counts as confirmed by the admin who added the user: Mortise sends no mail.
    static func object(_ user: User, role: String) -> JSONObject {
        [
            "id": .string(UUIDv7.text(of: user.id)),
            "email": .string(user.email),
            "email_verified": true,
            "name": .string(user.name ?? ""),
            "role": .string(role),
            "metadata": .object(JSONObject()),
            "created_at": .string(user.createdAt.rfc3339),
            "updated_at": .string(user.updatedAt.rfc3339),
        ]
    }

    /// The schema of a user.
    static let schema = Schema.object([
        .required("id", FluxbaseSchema.id), .required("email", .string(max: 254)),
        .required("email_verified", .boolean), .required("name", .string(max: 255)),
        .required("role", .string(max: 32)), .required("metadata", .anyObject()),
        .required("created_at", FluxbaseSchema.time), .required("updated_at", FluxbaseSchema.time),
    ])

    /// The schema of a session.
    static let session = Schema.object([
        .required("user", schema), .required("access_token", .string(max: 4096)),
        .required("refresh_token", .string(max: 255)), .required("token_type", .oneOf("bearer")),
        .required("expires_in", .integer(1...86_400)),
    ])
}

extension SignedIn {
    /// Returns the session as an answer.
    func response(role: String, status: HTTPResponse.Status = .ok) -> EndpointResponse {
        .object(status: status) {
            $0.member("user", JSONValue.object(FluxbaseUserJSON.object(user, role: role)))
            $0.member("access_token", accessToken)
            $0.member("refresh_token", refreshToken.reveal())
            $0.member("token_type", "bearer")
            $0.member("expires_in", expiresIn)
        }
    }
}

/// The roles of members in Fluxbase's terms.
enum FluxbaseRole {
    /// The role of an admin of the whole organization.
    static let instanceAdmin = "instance_admin"

    /// True if these memberships make a user an admin of the whole organization.
    static func managesInstance(_ memberships: [Member]) -> Bool {
        memberships.contains { $0.workspaceID == nil && isAdmin($0.role) }
    }

    /// Returns the role that the SDK shows for a user: `admin` if the user manages anything, as in the access token.
    static func name(_ memberships: [Member]) -> String {
        if memberships.contains(where: { isAdmin($0.role) }) { return "admin" }
        return memberships.first?.role.rawValue ?? MemberRole.member.rawValue
    }

    /// True for the roles `owner` and `admin`.
    static func isAdmin(_ role: MemberRole?) -> Bool { role == .owner || role == .admin }
}
