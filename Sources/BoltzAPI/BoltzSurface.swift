package import Endpoints
package import Keys
package import Service
package import Surfaces

/// Boltz's API for admins under `/compute/v1`, as its published clients speak it: API keys, workspaces, and who one is.
///
/// It translates, as the native surface does: what is allowed is decided below it. A workspace key here is a service key of the
/// workspace, without the rule that names are unique.
package struct BoltzSurface: Sendable {
    /// Every operation.
    package let table: EndpointTable<Principal>

    /// Makes the surface.
    ///
    /// - Parameters:
    ///   - platform: the use cases.
    ///   - clients: how a client's address is found out.
    ///   - settings: what the operations have in common; how errors are translated and spelled is set here.
    ///   - now: the wall clock, for what answers say about keys; the database's clock decides.
    package init(
        platform: Platform,
        clients: ClientAddresses,
        settings: EndpointSettings,
        now: @escaping @Sendable () -> Timestamp
    ) {
        var settings = settings
        settings.translate = { BoltzProblems.problem(for: $0) }
        settings.renderer = BoltzProblems.renderer
        let context = BoltzContext(platform: platform, clients: clients, now: now)
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
