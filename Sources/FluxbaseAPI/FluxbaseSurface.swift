package import Endpoints
import HTTPTypes
import Hummingbird
package import Service
package import Surfaces

/// The surface for Fluxbase's published TypeScript SDK, under `/api/v1`: keys, sessions and tenants.
///
/// The surface translates; `Service` decides what is allowed, with the same use cases as for the other surfaces.
package struct FluxbaseSurface: Surface {
    /// Every operation.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    package init(_ surface: SurfaceContext) {
        var settings = surface.settings
        settings.translate = { FluxbaseProblems.problem(for: $0) }
        settings.renderer = FluxbaseProblems.renderer
        let context = FluxbaseContext(platform: surface.platform, clients: surface.clients)
        let endpoints =
            FluxbaseAuthRoutes(context: context).endpoints
            + FluxbaseAdminRoutes(context: context).endpoints
            + FluxbaseClientKeyRoutes(context: context, family: .clientKeys).endpoints
            + FluxbaseClientKeyRoutes(context: context, family: .apiKeys).endpoints
            + FluxbaseServiceKeyRoutes(context: context).endpoints
            + FluxbaseTenantRoutes(context: context).endpoints
            + FluxbaseTenantAdminRoutes(context: context).endpoints
        table = EndpointTable(endpoints, security: context.security, settings: settings)
    }

    /// The parts of the path space that belong to the surface.
    ///
    /// The SDK also runs in browsers.
    package var mounts: [Mount] {
        var mount = table.mount(at: "/api/v1")
        mount.crossOrigin = CrossOriginPolicy(
            methods: [.get, .post, .put, .patch, .delete],
            headers: [
                .authorization, .contentType, .apikey, .xAPIKey, .xClientKey, .xServiceKey, .xFBTenant, .idempotencyKey,
                .xRequestID,
            ]
        )
        return [mount]
    }
}

/// An operation of the Fluxbase surface.
typealias FluxbaseEndpoint = Endpoint<Principal>

/// A request of the Fluxbase surface.
typealias FluxbaseRequest = EndpointRequest<Principal>
