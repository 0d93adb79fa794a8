package import BoltzAPI
package import ClerkAPI
package import Endpoints
package import FluxbaseAPI
package import NativeAPI
package import Server
package import Service
package import Surfaces

extension MortiseServer {
    /// The native API.
    package var native: NativeSurface { surface() }

    /// The API of Fluxbase.
    package var fluxbase: FluxbaseSurface { surface() }

    /// The API of Clerk.
    package var clerk: ClerkSurface { surface() }

    /// The API of Boltz.
    package var boltz: BoltzSurface { surface() }

    /// The operations of all dialects.
    package var endpoints: [Endpoint<Principal>] {
        native.table.endpoints + fluxbase.table.endpoints + clerk.table.endpoints + boltz.table.endpoints
    }

    /// Returns the only surface of a type.
    package func surface<S: Surface>(_ type: S.Type = S.self) -> S {
        guard let surface = surfaces.lazy.compactMap({ $0 as? S }).first else {
            preconditionFailure("the server has no \(type)")
        }
        return surface
    }
}
