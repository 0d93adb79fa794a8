import Endpoints
import HTTPTypes
import JSON
import Keys
import Service
import Tenancy

/// The operation that returns the identity of the caller's key.
struct BoltzIdentityRoutes: Sendable {
    let context: BoltzContext

    var endpoints: [BoltzEndpoint] { [me] }

    private var me: BoltzEndpoint {
        BoltzEndpoint(
            .get,
            "/compute/v1/auth/me",
            id: "boltzWhoAmI",
            tag: BoltzSurface.Tag.identity,
            summary: "Get the identity of the presented API key",
            access: .any(),
            responses: [EndpointResult(.ok, "The key's identity.", BoltzIdentityJSON.schema)],
            problems: [.forbidden, .workspaceUnavailable, .serviceUnavailable]
        ) { request in
            .json(BoltzIdentityJSON(identity: try await context.platform.access.identity(of: try request.caller)))
        }
    }
}

/// The JSON of a key's identity in Boltz's dialect.
struct BoltzIdentityJSON: JSONWritable {
    let identity: IdentifiedKey

    static let schema = Schema.object([
        .required("api_key_id", BoltzSchema.identifier),
        .required("key_type", .oneOf("admin", "workspace")),
        .required("mode", .oneOf(KeyMode.allCases.map(\.rawValue))),
        .required("organization_id", BoltzSchema.identifier),
        .required("organization_name", BoltzSchema.name),
        .required("principal_type", .oneOf("api_key")),
        .required("selected_organization_id", BoltzSchema.identifier),
        .required("workspace_id", BoltzSchema.identifier.orNull),
    ])

    func write(to writer: inout JSONWriter) {
        let organization = BoltzIdentifier.organization(identity.organization.id)
        writer.object {
            $0.member("api_key_id", BoltzIdentifier.key(identity.keyID, at: identity.workspace?.ref ?? .root))
            $0.member("key_type", identity.workspace == nil ? "admin" : "workspace")
            $0.member("mode", identity.mode.rawValue)
            $0.member("organization_id", organization)
            $0.member("organization_name", identity.organization.name)
            $0.member("principal_type", "api_key")
            $0.member("selected_organization_id", organization)
            $0.member("workspace_id", identity.workspace.map { BoltzIdentifier.workspace($0.id) })
        }
    }
}
