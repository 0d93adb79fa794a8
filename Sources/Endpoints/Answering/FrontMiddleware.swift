import HTTPTypes
package import Hummingbird
import Logging
package import NIOCore
import Traces
package import Tracing

/// The outermost layer of the router.
///
/// The layer gives each request its id and its position in a trace, and renders every error in the dialect of the mount that
/// the path belongs to. Add the layer to the router before any route.
package struct FrontMiddleware: RouterMiddleware {
    private let mounts: [Mount]
    private let firstSteps: [FirstStepRoute]
    private let hasOptions: Bool
    private let redact: @Sendable (String) -> String
    private let tracer: (any Tracer)?

    /// Creates the layer.
    ///
    /// - Parameters:
    ///   - mounts: The parts of the path space. If several contain a path, the mount with the longest prefix answers.
    ///   - firstSteps: The operations whose first step ``begin(_:_:_:)`` performs.
    ///   - redact: Masks secrets in a text. A request id that a client chose is refused if it contains a secret.
    ///   - tracer: Records a span for each request. `nil` records no spans. Log lines have a trace id in both cases.
    package init(
        mounts: [Mount],
        firstSteps: [FirstStepRoute] = [],
        redact: @escaping @Sendable (String) -> String = { $0 },
        tracer: (any Tracer)? = nil
    ) {
        self.mounts = mounts.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
        self.firstSteps = firstSteps
        hasOptions = mounts.contains(where: \.hasOptions)
        self.redact = redact
        self.tracer = tracer
    }

    /// Passes the request on, inside its trace.
    package func handle(
        _ request: Request,
        context: MortiseRequestContext,
        next: @concurrent (Request, MortiseRequestContext) async throws -> Response
    ) async throws -> Response {
        let head = RequestHead(request.headers, redact: redact)
        var context = context
        context.requestID = head.requestID ?? RequestID.make()
        guard let tracer else {
            let trace = TraceContext.ofRequest(traceParent: head.traceParent, traceState: head.traceState)
            return await TraceContext.$request.withValue(trace) { await respond(request, context, head, next) }
        }
        var parent = ServiceContext.topLevel
        tracer.extract(request.headers, into: &parent, using: HeaderExtractor())
        // The endpoint replaces the name.
        let span = tracer.startSpan("unmatched", context: parent, ofKind: .server)
        context.span = span
        let response = await ServiceContext.$current.withValue(span.context) {
            await respond(request, context, head, next)
        }
        span.finish(request, response)
        return response
    }

    /// Performs the first step of a request whose body is in memory, without a task and without the router.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - body: Its whole body.
    ///   - context: The context, which gets the request's id.
    /// - Returns: `nil` if the request has to pass the router, and nothing was done. That is so for all operations without a first step,
    ///   for requests from pages of other origins, and if spans are recorded.
    package func begin(_ request: Request, _ body: ByteBuffer, _ context: MortiseRequestContext) -> FirstStepResult? {
        guard tracer == nil,
            let route = firstSteps.first(where: { $0.path == request.head.path && $0.method == request.method })
        else { return nil }
        let head = RequestHead(request.headers, redact: redact)
        guard head.origin == nil, !head.hasSecondHost, request.head.authority.map(HostField.isValid) ?? false
        else { return nil }
        var context = context
        context.requestID = head.requestID ?? RequestID.make()
        let requestID = HTTPField(name: .xRequestID, value: context.requestID)
        let trace = TraceContext.ofRequest(traceParent: head.traceParent, traceState: head.traceState)
        let result = TraceContext.$request.withValue(trace) { route.begin(request, body, context) }
        switch result {
        case nil: return nil
        case .answer(var head, let body):
            head.headerFields.append(requestID)
            return .answer(head, body)
        case .wait(let rest):
            return .wait {
                var answer = await TraceContext.$request.withValue(trace) { await rest() }
                answer.append(requestID)
                return answer
            }
        }
    }

    private func respond(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ head: RequestHead,
        _ next: @concurrent (Request, MortiseRequestContext) async throws -> Response
    ) async -> Response {
        let mount = mountWithOptions(request, head.origin)
        var response: Response
        do {
            if head.hasSecondHost || !(request.head.authority.map(HostField.isValid) ?? false) {
                response = ErrorRenderer.problemJSON.render(.invalidHost, context)
                if request.method == .head { response = response.createHeadResponse() }
            } else if let mount, let early = await answerEarly(request, context, mount, isFromPage: head.origin != nil)
            {
                response = early
            } else {
                response = try await next(request, context)
            }
        } catch {
            response = await respond(to: error, request, context)
            if request.method == .head { response = response.createHeadResponse() }
        }
        response.headers.append(HTTPField(name: .xRequestID, value: context.requestID))
        if let origin = head.origin { mount?.crossOrigin?.allow(origin, &response.headers) }
        return response
    }

    /// Returns the mount of a request that the options of a mount can concern.
    ///
    /// The head of most requests shows that no option concerns them.
    private func mountWithOptions(_ request: Request, _ origin: String?) -> Mount? {
        guard hasOptions, origin != nil || (request.method == .post && request.uri.query != nil) else { return nil }
        return mounts.first { $0.contains(request.uri.path) }
    }

    /// Answers a CORS preflight request, or a POST that stands for another method.
    ///
    /// Returns `nil` for other requests.
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

    /// Answers an error that no endpoint caught.
    ///
    /// Endpoints throw nothing, so the error is the router's 404 or comes from a route that is not an endpoint.
    private func respond(to error: any Error, _ request: Request, _ context: MortiseRequestContext) async -> Response {
        let path = request.uri.path
        let mount = mounts.first { $0.contains(path) }
        guard let error = error as? HTTPError, error.status == .notFound else {
            context.logger.error("a request failed outside of any endpoint", metadata: ["error": "\(type(of: error))"])
            return ErrorRenderer.problemJSON.render(.internalError, context)
        }
        guard let mount else { return ErrorRenderer.problemJSON.render(.noOperation, context) }
        return await mount.respond(request, context)
    }
}
