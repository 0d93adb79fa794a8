import Endpoints
import HTTPTypes
import JSON
import Keys
import Service
import Tenancy

/// A user as Fluxbase's SDK knows it.
enum FluxbaseUserJSON {
    /// The members of a user, whose address is an admin's word: Mortise sends no mail that could confirm it.
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
    /// The session as an answer.
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

/// What a member is in Fluxbase's words.
enum FluxbaseRole {
    /// Who manages the whole organization.
    static let instanceAdmin = "instance_admin"

    /// Whether somebody with these memberships manages the whole organization.
    static func managesInstance(_ memberships: [Member]) -> Bool {
        memberships.contains { $0.workspaceID == nil && isAdmin($0.role) }
    }

    /// What the SDK shows as a user's role: `admin` for whoever manages anything, as in the access token.
    static func name(_ memberships: [Member]) -> String {
        if memberships.contains(where: { isAdmin($0.role) }) { return "admin" }
        return memberships.first?.role.rawValue ?? MemberRole.member.rawValue
    }

    /// Whether a role manages what it is given for.
    static func isAdmin(_ role: MemberRole?) -> Bool { role == .owner || role == .admin }
}
