package import Endpoints
package import Service
package import Surfaces

/// The surface for Boltz's published clients, under `/compute/v1`: API keys, workspaces, and the identity of the caller's key.
///
/// The surface translates; `Service` decides what is allowed. A workspace key is a service key of the workspace whose name need not be
/// unique.
package struct BoltzSurface: Surface {
    /// Every operation.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    package init(_ surface: SurfaceContext) {
        var settings = surface.settings
        settings.translate = { BoltzProblems.problem(for: $0) }
        settings.renderer = BoltzProblems.renderer
        let context = BoltzContext(platform: surface.platform, clients: surface.clients)
        table = EndpointTable(
            BoltzKeyRoutes(context: context).endpoints
                + BoltzWorkspaceRoutes(context: context).endpoints
                + BoltzIdentityRoutes(context: context).endpoints
                + BoltzAbsentRoutes.endpoints,
            security: context.security,
            settings: settings
        )
    }

    /// The part of the path space that belongs to the surface.
    package var mounts: [Mount] { [table.mount(at: "/compute/v1")] }

    /// The headings of the operations in documents.
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
