package import Endpoints
package import Service
package import Surfaces

/// The native API under `/v1`, and its OpenAPI document.
///
/// It translates: a request into a use case's command, an outcome into a status and a body. What is allowed is decided below it.
package struct NativeSurface: Surface {
    /// Every operation.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    ///
    /// - Throws: `OpenAPIComponentConflict` if two schemas have the same name.
    package init(_ surface: SurfaceContext) throws(OpenAPIComponentConflict) {
        var settings = surface.settings
        settings.translate = { DomainProblems.problem(for: $0) }
        let context = NativeContext(platform: surface.platform, clients: surface.clients, now: surface.now)
        let endpoints =
            OrganizationRoutes(context: context).endpoints
            + WorkspaceRoutes(context: context).endpoints
            + MemberRoutes(context: context).endpoints
            + SessionRoutes(context: context).endpoints
            + SessionIssuerRoutes(context: context).endpoints
            + KeyRoutes(context: context, family: .service).endpoints
            + KeyRoutes(context: context, family: .client).endpoints
            + KeyRoutes(context: context, family: .admin).endpoints
            + KeyRoutes(context: context, family: .operator).endpoints
            + EventRoutes(context: context).endpoints
            + VerifyRoutes(context: context, metrics: settings.metrics).endpoints
        table = try EndpointTable(endpoints, security: context.security, settings: settings)
            .servingOpenAPI(at: "/openapi.json", Self.info(surface.version))
    }

    /// The parts of the path space that are this surface's.
    package var mounts: [Mount] { [table.mount(at: "/v1"), table.mount(at: "/openapi.json")] }

    private static func info(_ version: String) -> OpenAPIInfo {
        OpenAPIInfo(
            title: "Mortise",
            version: version,
            description: """
                API keys for many tenants: issued, rotated, revoked, audited and verified. Timestamps are RFC 3339 in UTC, ids are UUIDs \
                in lower case, and every nullable member is present. Errors are `application/problem+json` (RFC 9457) with a stable `code`.
                """,
            tags: [
                (Tag.verification, "Turns tokens into verdicts."),
                (Tag.serviceKeys, "Keys of one workspace."),
                (Tag.clientKeys, "Keys of one workspace, each of which belongs to a subject."),
                (Tag.workspaces, "Tenants, each with a database of its own."),
                (Tag.organizations, "Owners of workspaces."),
                (Tag.members, "People with a role in an organization or a workspace."),
                (Tag.sessions, "How members sign in."),
                (Tag.sessionIssuers, "Whose sessions are believed where an application's own users manage their keys."),
                (Tag.adminKeys, "Keys that manage one organization."),
                (Tag.operatorKeys, "Keys that manage the platform."),
                (Tag.events, "What happened, by whom, from where."),
            ]
        )
    }

    /// The headings of the document.
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
    }
}

/// An operation of the native surface.
package typealias NativeEndpoint = Endpoint<Principal>

/// A request of the native surface.
typealias NativeRequest = EndpointRequest<Principal>
