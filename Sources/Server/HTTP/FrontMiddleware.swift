import HTTPTypes
package import Hummingbird
import Logging

/// A part of the path space that belongs to one surface.
package struct Mount: Sendable {
    /// The path that the surface's paths begin with, such as `/v1`; `/` is every path.
    package let prefix: String

    /// Answers requests under the prefix that the router found nothing for.
    package let respond: @Sendable (Request, MortiseRequestContext) async -> Response

    /// Makes a mount.
    package init(
        prefix: String,
        respond: @escaping @Sendable (Request, MortiseRequestContext) async -> Response
    ) {
        self.prefix = prefix
        self.respond = respond
    }

    /// Whether the path is the prefix, or continues it after a slash.
    func contains(_ path: String) -> Bool {
        guard prefix != "/" else { return true }
        guard path.hasPrefix(prefix) else { return false }
        return path.utf8.count == prefix.utf8.count || path.utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: "/")
    }
}

/// The outermost layer: names the request, and sees to it that every error leaves in the dialect of its mount.
///
/// Add it to the router before any route.
package struct FrontMiddleware: RouterMiddleware {
    private let mounts: [Mount]

    /// Makes the layer; of several mounts that contain a path the one with the longest prefix answers.
    package init(mounts: [Mount]) {
        self.mounts = mounts.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
    }

    /// Passes the request on.
    package func handle(
        _ request: Request,
        context: MortiseRequestContext,
        next: @concurrent (Request, MortiseRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = Self.id(of: request)
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = await respond(to: error, request, context)
            if request.method == .head { response = response.createHeadResponse() }
        }
        response.headers.append(HTTPField(name: .xRequestID, value: context.requestID))
        return response
    }

    private static func id(of request: Request) -> String {
        for field in request.headers where field.name == .xRequestID && RequestID.isAcceptable(field.value) {
            return field.value
        }
        return RequestID.make()
    }

    /// Endpoints throw nothing, so this is the router's own 404, or a route that was not declared as an endpoint.
    private func respond(to error: any Error, _ request: Request, _ context: MortiseRequestContext) async -> Response {
        let path = request.uri.path
        let mount = mounts.first { $0.contains(path) }
        guard let error = error as? HTTPError, error.status == .notFound else {
            context.logger.error("request failed outside of any endpoint", metadata: ["error": "\(type(of: error))"])
            return ErrorRenderer.problemJSON.render(.internalError, context)
        }
        guard let mount else { return ErrorRenderer.problemJSON.render(.notFound, context) }
        return await mount.respond(request, context)
    }
}
