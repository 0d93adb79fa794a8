package import Endpoints
package import Service
package import Surfaces

/// Boltz's API for admins under `/compute/v1`, as its published clients speak it: API keys, workspaces, and who one is.
///
/// It translates, as the native surface does: what is allowed is decided below it. A workspace key here is a service key of the
/// workspace, without the rule that names are unique.
package struct BoltzSurface: Surface {
    /// Every operation.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    package init(_ surface: SurfaceContext) {
        var settings = surface.settings
        settings.translate = { BoltzProblems.problem(for: $0) }
        settings.renderer = BoltzProblems.renderer
        let context = BoltzContext(platform: surface.platform, clients: surface.clients, now: surface.now)
        table = EndpointTable(
            BoltzKeyRoutes(context: context).endpoints
                + BoltzWorkspaceRoutes(context: context).endpoints
                + BoltzIdentityRoutes(context: context).endpoints
                + BoltzAbsentRoutes.endpoints,
            security: context.security,
            settings: settings
        )
    }

    /// The part of the path space that is this surface's.
    package var mounts: [Mount] { [table.mount(at: "/compute/v1")] }

    /// The headings of the operations.
    enum Tag {
        static let keys = "API keys"
        static let workspaces = "Workspaces"
        static let identity = "Identity"
        static let absent = "Not offered"
    }
}

/// An operation of the Boltz surface.
package typealias BoltzEndpoint = Endpoint<Principal>

/// A request of the Boltz surface.
typealias BoltzRequest = EndpointRequest<Principal>
