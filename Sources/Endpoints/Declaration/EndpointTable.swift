package import CoreMetrics
package import HTTPTypes
package import Hummingbird

/// The operations of one surface, with what they have in common.
package struct EndpointTable<Principal: Sendable>: Sendable {
    /// The operations.
    package let endpoints: [Endpoint<Principal>]

    private let responders: [EndpointResponder<Principal>]
    private let security: EndpointSecurity<Principal>
    private let settings: EndpointSettings

    /// Makes a table.
    ///
    /// `declarationFaults` says what is wrong with it.
    package init(
        _ endpoints: [Endpoint<Principal>],
        security: EndpointSecurity<Principal>,
        settings: EndpointSettings = EndpointSettings()
    ) {
        self.endpoints = endpoints
        responders = endpoints.map { EndpointResponder(endpoint: $0, security: security, settings: settings) }
        self.security = security
        self.settings = settings
    }

    /// The table with more operations.
    package func adding(_ more: [Endpoint<Principal>]) -> EndpointTable {
        EndpointTable(endpoints + more, security: security, settings: settings)
    }

    /// Adds every operation to a router.
    package func register(on router: some RouterMethods<MortiseRequestContext>) {
        for responder in responders {
            for method in responder.endpoint.method.routed {
                router.on(responder.endpoint.path.routerPath, method: method, responder: responder)
            }
        }
    }

    /// Answers what the router found no operation for: an operation for any method, one that only a request with an overridden
    /// method reaches, 405 where the path is known with other methods, and 404.
    package func respondToUnmatched(_ request: Request, _ context: MortiseRequestContext) async -> Response {
        let path = request.uri.path
        let matching = responders.filter { $0.endpoint.path.match(path) != nil }
        let method = request.method
        if let responder = matching.first(where: {
            $0.endpoint.method.routed.contains(method) || $0.endpoint.method == .any
        }) {
            return await responder.respond(to: request, context: context)
        }
        let methods = Set(matching.flatMap(\.endpoint.method.routed)).sorted { $0.rawValue < $1.rawValue }
        var problem: Problem = methods.isEmpty ? .notFound : .methodNotAllowed(allow: methods)
        if methods.isEmpty { problem.unknownPath = path }
        settings.countUnmatched(problem)
        return settings.renderer.render(problem, context)
    }

    /// The part of the path space that belongs to this table, for `FrontMiddleware`.
    package func mount(at prefix: String) -> Mount {
        Mount(prefix: prefix, respond: respondToUnmatched)
    }
}

/// What the operations of one surface have in common.
package struct EndpointSettings: Sendable {
    /// Which requests have a line in the access log.
    package enum AccessLog: Sendable {
        /// Those of the endpoints that say so.
        case declared
        /// All of them.
        case all
        /// None, except for answers of 500 and above.
        case failures
    }

    /// Spells the errors.
    package var renderer: ErrorRenderer

    /// Translates errors of the domain into problems; `nil` for what it does not know, which becomes `internal_error`.
    package var translate: @Sendable (any Error) -> Problem?

    /// Header fields that every answer other than a problem has; by default `Cache-Control: no-store`.
    package var headers: HTTPFields

    /// How long a body may take to arrive; 10 seconds by default.
    ///
    /// The server's idle timeout bounds the wait for each piece.
    package var bodyDeadline: Duration

    /// How long after a credential was looked at its request may begin to be carried out; 10 ms by default.
    ///
    /// A body that keeps it waiting longer has the credential looked at again: who holds a body back must not choose the moment.
    package var credentialAge: Duration

    /// The clock that deadlines are measured with.
    package var clock: any Clock<Duration>

    /// Which requests have a line in the access log.
    package var accessLog: AccessLog

    /// Takes secrets out of a text before it reaches a log.
    package var redact: @Sendable (String) -> String

    /// Where requests are counted and timed; nowhere if `nil`.
    package var metrics: (any MetricsFactory)?

    /// Makes settings.
    package init(
        renderer: ErrorRenderer = .problemJSON,
        translate: @escaping @Sendable (any Error) -> Problem? = { _ in nil },
        headers: HTTPFields = [.cacheControl: "no-store"],
        bodyDeadline: Duration = .seconds(10),
        credentialAge: Duration = .milliseconds(10),
        clock: any Clock<Duration> = ContinuousClock(),
        accessLog: AccessLog = .declared,
        redact: @escaping @Sendable (String) -> String = { $0 },
        metrics: (any MetricsFactory)? = nil
    ) {
        self.renderer = renderer
        self.translate = translate
        self.headers = headers
        self.bodyDeadline = bodyDeadline
        self.credentialAge = credentialAge
        self.clock = clock
        self.accessLog = accessLog
        self.redact = redact
        self.metrics = metrics
    }
}
