package import Endpoints
import HTTPTypes
package import Service
package import Surfaces

/// The web console under `/console/`: HTML pages over the same use cases as the native API.
///
/// A page shows what a use case returns, and a form sends a use case's command. `Service` decides what is allowed.
package struct ConsoleSurface: Surface {
    /// Every operation.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    ///
    /// - Throws: The error of a template that is malformed.
    package init(_ surface: SurfaceContext) throws {
        let pages = try PageRenderer()
        var settings = surface.settings
        settings.translate = { DomainProblems.problem(for: $0) }
        settings.headers = [:]
        settings.renderer = ErrorPages.renderer(pages)
        let context = ConsoleContext(
            platform: surface.platform,
            clients: surface.clients,
            origin: ConsoleOrigin(publicURL: surface.publicURL),
            pages: pages,
            version: surface.version
        )
        table = EndpointTable(
            AssetRoutes(context: context).endpoints
                + SignInRoutes(context: context).endpoints
                + ProviderRoutes(context: context).endpoints
                + ProgramRoutes(context: context).endpoints
                + HomeRoutes(context: context).endpoints
                + WorkspaceRoutes(context: context).endpoints
                + KeyRoutes(context: context, family: .service).endpoints
                + KeyRoutes(context: context, family: .client).endpoints
                + KeyRoutes(context: context, family: .admin).endpoints
                + EventRoutes(context: context).endpoints
                + MemberRoutes(context: context).endpoints
                + WebhookRoutes(context: context).endpoints
                + SettingsRoutes(context: context).endpoints
                + OperatorRoutes(context: context).endpoints,
            security: EndpointSecurity(
                // Each route reads its own cookie, because a browser without a session is sent to a page.
                authenticate: { _, _, _ in throw Problem.unauthorized },
                authorize: { _, _ in },
                // A visit then answers on behalf of its member or operator.
                onBehalf: { try await $0.takingTurns($1) }
            ),
            settings: settings
        )
    }

    /// The parts of the path space that belong to the surface.
    package var mounts: [Mount] { [table.mount(at: "/console")] }
}

/// An operation of the console.
typealias ConsoleEndpoint = Endpoint<Principal>
