package import Endpoints
import HTTPTypes
package import Service
package import Surfaces

/// Clerk's API keys under `/clerk`, as its published clients speak them: the Backend API for whoever has the secret key, and the Frontend
/// API for browsers with a session.
///
/// It translates, as the native surface does: what is allowed is decided below it. An API key here is a client key of a workspace, the
/// secret key is an admin key, and sessions are those of the issuers that the operator has configured.
package struct ClerkSurface: Surface {
    /// Every operation, once for each of the paths that clients know it by.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    package init(_ surface: SurfaceContext) {
        var settings = surface.settings
        settings.translate = { ClerkProblems.problem(for: $0) }
        settings.renderer = ClerkProblems.renderer
        let context = ClerkContext(platform: surface.platform, clients: surface.clients, now: surface.now)
        let endpoints = ClerkPath.allCases.flatMap { path in
            ClerkKeyRoutes(context: context, path: path).endpoints
                + ClerkVerifyRoutes(context: context, path: path).endpoints
        }
        table = EndpointTable(endpoints, security: context.security, settings: settings)
    }

    /// The part of the path space that is this surface's: browsers come here from other origins, and can only send GET and POST.
    package var mounts: [Mount] {
        var mount = table.mount(at: "/clerk")
        mount.crossOrigin = CrossOriginPolicy(
            methods: [.get, .post, .patch, .delete],
            headers: [.authorization, .contentType]
        )
        mount.methodParameter = "_method"
        return [mount]
    }

    /// The heading of the operations.
    static let tag = "Clerk"
}

/// An operation of the Clerk surface.
package typealias ClerkEndpoint = Endpoint<Principal>

/// A request of the Clerk surface.
typealias ClerkRequest = EndpointRequest<Principal>

/// Where the operations are found.
///
/// Clients disagree about the version in the path: some put it into their server's address, the rest leave it out. A server's address
/// may also name a workspace in place of the organization's default one.
enum ClerkPath: String, CaseIterable {
    case versioned = "/clerk/v1"
    case unversioned = "/clerk"
    case workspaceVersioned = "/clerk/workspaces/{workspace}/v1"
    case workspaceUnversioned = "/clerk/workspaces/{workspace}"

    /// The path of the list.
    var keys: String { rawValue + "/api_keys" }

    /// What the paths have in braces before the key's id.
    var parameters: [PathParameter] {
        switch self {
        case .versioned, .unversioned: []
        case .workspaceVersioned, .workspaceUnversioned: [DomainSchema.workspaceParameter]
        }
    }

    /// What makes the names of operations differ.
    var suffix: String {
        switch self {
        case .versioned: ""
        case .unversioned: "Unversioned"
        case .workspaceVersioned: "OfWorkspace"
        case .workspaceUnversioned: "OfWorkspaceUnversioned"
        }
    }
}
