import HTTPTypes
package import Hummingbird
import Logging

/// The outermost layer: names the request, and sees to it that every error leaves in the dialect of its mount.
///
/// Add it to the router before any route.
package struct FrontMiddleware: RouterMiddleware {
    private let mounts: [Mount]
    private let hasOptions: Bool

    /// Makes the layer; of several mounts that contain a path the one with the longest prefix answers.
    package init(mounts: [Mount]) {
        self.mounts = mounts.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
        hasOptions = mounts.contains(where: \.hasOptions)
    }

    /// Passes the request on.
    package func handle(
        _ request: Request,
        context: MortiseRequestContext,
        next: @concurrent (Request, MortiseRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let (id, origin) = Self.idAndOrigin(of: request)
        context.requestID = id
        let mount = mountWithOptions(request, origin)
        var response: Response
        do {
            if let mount, let early = await answerEarly(request, context, mount, isFromPage: origin != nil) {
                response = early
            } else {
                response = try await next(request, context)
            }
        } catch {
            response = await respond(to: error, request, context)
            if request.method == .head { response = response.createHeadResponse() }
        }
        response.headers.append(HTTPField(name: .xRequestID, value: context.requestID))
        if let origin { mount?.crossOrigin?.allow(origin, &response.headers) }
        return response
    }

    /// The mount of a request that its options may concern; most requests are told by their head that they are not.
    private func mountWithOptions(_ request: Request, _ origin: String?) -> Mount? {
        guard hasOptions, origin != nil || (request.method == .post && request.uri.query != nil) else { return nil }
        return mounts.first { $0.contains(request.uri.path) }
    }

    /// The answer to a request that is not routed as it came: a browser's question, or a POST that stands for another method.
    private func answerEarly(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ mount: Mount,
        isFromPage: Bool
    ) async -> Response? {
        if isFromPage, let policy = mount.crossOrigin, policy.isPreflight(request) { return policy.preflight() }
        guard let request = mount.overridden(request) else { return nil }
        return await mount.respond(request, context)
    }

    /// One walk over the fields: looking them up by name would have the fields make an index first.
    private static func idAndOrigin(of request: Request) -> (id: String, origin: String?) {
        var id: String?
        var origin: String?
        for field in request.headers {
            if id == nil, field.name == .xRequestID, RequestID.isAcceptable(field.value) { id = field.value }
            if field.name == .origin { origin = field.value }
        }
        return (id ?? RequestID.make(), origin)
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
