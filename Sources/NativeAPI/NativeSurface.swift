package import Endpoints
package import Service
package import Surfaces

/// The surface of the native API under `/v1`, and its OpenAPI document.
///
/// The surface translates a request into a use case's command, and an outcome into a status and a body. `Service` decides what is allowed.
package struct NativeSurface: Surface {
    /// Every operation.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    ///
    /// - Throws: `OpenAPIComponentConflict` if two schemas have the same name.
    package init(_ surface: SurfaceContext) throws(OpenAPIComponentConflict) {
        var settings = surface.settings
        settings.translate = { DomainProblems.problem(for: $0) }
        let context = NativeContext(platform: surface.platform, clients: surface.clients)
        let endpoints =
            OrganizationRoutes(context: context).endpoints
            + WorkspaceRoutes(context: context).endpoints
            + MemberRoutes(context: context).endpoints
            + SessionRoutes(context: context).endpoints
            + SessionListRoutes(context: context).endpoints
            + SessionIssuerRoutes(context: context).endpoints
            + KeyRoutes(context: context, family: .service).endpoints
            + KeyRoutes(context: context, family: .client).endpoints
            + KeyRoutes(context: context, family: .admin).endpoints
            + KeyRoutes(context: context, family: .operator).endpoints
            + WebhookRoutes(context: context).endpoints
            + LeakRoutes(context: context).endpoints
            + ClientKeyRetirementRoutes(context: context).endpoints
            + EventRoutes(context: context).endpoints
            + UsageRoutes(context: context).endpoints
            + StatusRoutes(context: context).endpoints
            + VerifyRoutes(context: context, metrics: settings.metrics).endpoints
        // Two changes of one resource at the same time are possible for every change.
        let declared = endpoints.map { ($0.isChange ? $0.declaring(.conflict) : $0).refusingBody() }
        let operations = EndpointTable(declared, security: context.security, settings: settings)
        let document = try operations.servingOpenAPI(at: "/openapi.json", Self.info(surface.version))
        table = surface.publishesDocument ? document : operations
    }

    /// The parts of the path space that belong to the surface.
    package var mounts: [Mount] { [table.mount(at: "/v1"), table.mount(at: "/openapi.json")] }

    private static func info(_ version: String) -> OpenAPIInfo {
        OpenAPIInfo(
            title: "Mortise",
            version: version,
            description: """
                Issue, rotate, revoke, audit and verify API keys for many tenants. Timestamps are RFC 3339 in UTC, ids are UUIDs \
                in lower case, and every nullable member is present. Errors are `application/problem+json` (RFC 9457) with a stable `code`.
                """,
            tags: [
                (Tag.verification, "Turn tokens into verdicts."),
                (Tag.serviceKeys, "Keys of one workspace."),
                (Tag.clientKeys, "Keys of one workspace, each of which belongs to a subject."),
                (Tag.workspaces, "Tenants. Each has its own database."),
                (Tag.organizations, "Owners of workspaces."),
                (Tag.members, "People with a role in an organization or a workspace."),
                (Tag.sessions, "Sign-in of members."),
                (
                    Tag.sessionIssuers,
                    "Applications whose sessions an organization trusts, so that their users can manage their own keys."
                ),
                (Tag.adminKeys, "Keys that manage one organization."),
                (Tag.operatorKeys, "Keys that manage the platform."),
                (Tag.events, "The audit log: changes, actors and addresses."),
                (Tag.status, "The state of the installation, for operators."),
                (Tag.usage, "The number of verifications, by time, verdict and key."),
                (Tag.webhooks, "Addresses that are told of events."),
                (Tag.leaks, "Reports of tokens that were found in public places."),
            ]
        )
    }

    /// The headings of the OpenAPI document.
    enum Tag {
        static let verification = "Verification"
        static let serviceKeys = "Service keys"
        static let clientKeys = "Client keys"
        static let workspaces = "Workspaces"
        static let organizations = "Organizations"
        static let members = "Members"
        static let sessions = "Sessions"
        static let sessionIssuers = "Session issuers"
        static let adminKeys = "Admin keys"
        static let operatorKeys = "Operator keys"
        static let events = "Events"
        static let usage = "Usage"
        static let status = "Status"
        static let webhooks = "Webhooks"
        static let leaks = "Leaks"
    }
}

/// An operation of the native surface.
package typealias NativeEndpoint = Endpoint<Principal>

extension NativeEndpoint {
    /// True if the operation changes something, and answers only after it has.
    ///
    /// A verification changes nothing, and the report of a leak waits for no other change.
    fileprivate var isChange: Bool {
        method != .get && tag != NativeSurface.Tag.verification && tag != NativeSurface.Tag.leaks
    }
}

/// A request of the native surface.
typealias NativeRequest = EndpointRequest<Principal>
