import Endpoints
import HTTPTypes
import NIOCore

/// The stylesheet, the scripts and the icon, and the way from `/` to the console.
struct AssetRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] { [root, asset] }

    private var root: ConsoleEndpoint {
        context.open(.get, "/", id: "consoleRoot", logsAccess: false) { request in
            // A browser asks for HTML by name. A program has a wrong path here, and a page of the console would hide that from it.
            guard request.headers[values: .accept].contains(where: { $0.lowercased().contains("text/html") }) else {
                let answer = Problem.noOperation.rendered(requestID: request.request.context.requestID)
                return EndpointResponse(answer.status, body: answer.body, mediaType: "application/problem+json")
            }
            throw Redirect(location: "/console/")
        }
    }

    /// The version in the path changes with the content, so a browser can keep a file for a year.
    private var asset: ConsoleEndpoint {
        context.open(.get, "/console/assets/{version}/{name}", id: "consoleAsset", logsAccess: false) { request in
            guard try request.parameter("version") == Assets.version,
                let asset = Assets.all[try request.parameter("name")]
            else { throw Problem.notFound }
            return EndpointResponse(
                .ok,
                body: ByteBuffer(bytes: asset.bytes),
                mediaType: asset.mediaType,
                headers: [.cacheControl: "public, max-age=31536000, immutable"]
            )
        }
    }
}
