package import Endpoints
import HTTPTypes
package import Service
package import Surfaces

/// The surface for Clerk's published clients, under `/clerk`: the Backend API for callers with the secret key, and the Frontend API for
/// browsers with a session.
///
/// The surface translates; `Service` decides what is allowed. An API key is a client key of a workspace, the secret key is an admin key,
/// and the sessions are those of the session issuers that an operator has configured.
package struct ClerkSurface: Surface {
    /// Every operation, once for each path that clients use.
    package let table: EndpointTable<Principal>

    /// Creates the surface.
    package init(_ surface: SurfaceContext) {
        var settings = surface.settings
        settings.translate = { ClerkProblems.problem(for: $0) }
        settings.renderer = ClerkProblems.renderer
        let context = ClerkContext(platform: surface.platform, clients: surface.clients)
        let endpoints = ClerkPath.allCases.flatMap { path in
            ClerkKeyRoutes(context: context, path: path).endpoints
                + ClerkVerifyRoutes(context: context, path: path).endpoints
        }
        table = EndpointTable(endpoints, security: context.security, settings: settings)
    }

    /// The part of the path space that belongs to the surface.
    ///
    /// Browsers call it from other origins, and some clients can send only GET and POST.
    package var mounts: [Mount] {
        var mount = table.mount(at: "/clerk")
        mount.crossOrigin = CrossOriginPolicy(
            methods: [.get, .post, .patch, .delete],
            headers: [.authorization, .contentType]
        )
        mount.methodParameter = "_method"
        return [mount]
    }

    /// The heading of the operations in documents.
    static let tag = "Clerk"
}

/// An operation of the Clerk surface.
package typealias ClerkEndpoint = Endpoint<Principal>

/// A request of the Clerk surface.
typealias ClerkRequest = EndpointRequest<Principal>

/// The paths of the operations.
///
/// Some clients put the version into their server URL, the others omit it. A server URL can also name a workspace instead of the
/// organization's default workspace.
enum ClerkPath: String, CaseIterable {
    case versioned = "/clerk/v1"
    case unversioned = "/clerk"
    case workspaceVersioned = "/clerk/workspaces/{workspace}/v1"
    case workspaceUnversioned = "/clerk/workspaces/{workspace}"

    /// The path of the list.
    var keys: String { rawValue + "/api_keys" }

    /// The path parameters before the key's id.
    var parameters: [PathParameter] {
        switch self {
        case .versioned, .unversioned: []
        case .workspaceVersioned, .workspaceUnversioned: [DomainSchema.workspaceParameter]
        }
    }

    /// The suffix that keeps operation ids unique.
    var suffix: String {
        switch self {
        case .versioned: ""
        case .unversioned: "Unversioned"
        case .workspaceVersioned: "OfWorkspace"
        case .workspaceUnversioned: "OfWorkspaceUnversioned"
        }
    }
}
