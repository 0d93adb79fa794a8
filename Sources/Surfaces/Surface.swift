package import Endpoints
package import Hummingbird
package import Service

/// A dialect of the HTTP API: the paths that it owns, and the operations behind them.
///
/// A surface translates a request into a use case's command, and an outcome into a status and a body. It decides nothing: what a caller
/// may do is decided by `Service`. The server composes `[any Surface]`, so a further dialect is a target and one element of that array.
package protocol Surface: Sendable {
    /// Creates the surface.
    ///
    /// - Throws: A fault of the surface's declarations, such as two schemas with the same name.
    init(_ context: SurfaceContext) throws

    /// The parts of the path space that belong to the surface.
    var mounts: [Mount] { get }

    /// Every operation of the surface.
    var table: EndpointTable<Principal> { get }
}

extension Surface {
    /// Adds every operation to a router.
    package func register(on router: some RouterMethods<MortiseRequestContext>) {
        table.register(on: router)
    }
}

/// The parts of the server that a surface is created from.
package struct SurfaceContext: Sendable {
    /// The use cases.
    package var platform: Platform

    /// Determines the address of a request's client.
    package var clients: ClientAddresses

    /// The settings that the operations of all surfaces share.
    ///
    /// A surface sets how its errors are translated and rendered.
    package var settings: EndpointSettings

    /// The program's version.
    package var version: String

    /// True if a surface answers its OpenAPI document.
    package var publishesDocument: Bool

    /// The URL by which browsers reach the server; `nil` for a server on a loopback address.
    package var publicURL: String?

    /// Creates a context.
    ///
    /// It has no clock: the status of a key goes by the database's time, which the key's record has.
    package init(
        platform: Platform,
        clients: ClientAddresses,
        settings: EndpointSettings,
        version: String,
        publishesDocument: Bool = true,
        publicURL: String? = nil
    ) {
        self.platform = platform
        self.clients = clients
        self.settings = settings
        self.version = version
        self.publishesDocument = publishesDocument
        self.publicURL = publicURL
    }
}
