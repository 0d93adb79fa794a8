package import CoreMetrics
package import HTTPTypes
package import Hummingbird
package import NIOCore

/// The operations of one surface, with their common security and settings.
package struct EndpointTable<Principal: Sendable>: Sendable {
    /// The operations.
    package let endpoints: [Endpoint<Principal>]

    private let responders: [EndpointResponder<Principal>]
    private let security: EndpointSecurity<Principal>
    private let settings: EndpointSettings

    /// Creates a table.
    ///
    /// `declarationFaults` lists the faults of the declarations.
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

    private init(_ table: EndpointTable, adding more: [Endpoint<Principal>]) {
        endpoints = table.endpoints + more
        security = table.security
        settings = table.settings
        responders =
            table.responders
            + more.map { EndpointResponder(endpoint: $0, security: table.security, settings: table.settings) }
    }

    /// Returns the table with more operations.
    package func adding(_ more: [Endpoint<Principal>]) -> EndpointTable { EndpointTable(self, adding: more) }

    /// Adds every operation to a router.
    package func register(on router: some RouterMethods<MortiseRequestContext>) {
        for responder in responders {
            for method in responder.endpoint.method.routed {
                router.on(responder.endpoint.path.routerPath, method: method, responder: responder)
            }
        }
    }

    /// The ways to the first steps of operations.
    package var firstSteps: [FirstStepRoute] { responders.compactMap(\.firstStepRoute) }

    /// Answers a request that the router found no operation for.
    ///
    /// The answer comes from an operation for all methods, or from the operation of an overridden method. Otherwise it is 405 if
    /// the path exists with other methods, else 404.
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
        var problem: Problem = methods.isEmpty ? .noOperation : .methodNotAllowed(allow: methods)
        if methods.isEmpty { problem.unknownPath = path }
        settings.countUnmatched(problem)
        return settings.renderer.render(problem, context)
    }

    /// Returns the part of the path space that belongs to this table, for `FrontMiddleware`.
    package func mount(at prefix: String) -> Mount {
        Mount(prefix: prefix, respond: respondToUnmatched)
    }
}

/// The settings that the operations of one surface share.
package struct EndpointSettings: Sendable {
    /// A choice of the requests that have a line in the access log.
    package enum AccessLog: Sendable {
        /// The requests of endpoints that declare it.
        case declared
        /// All requests.
        case all
        /// Only requests with an answer of 500 and above.
        case failures
    }

    /// Renders the errors.
    package var renderer: ErrorRenderer

    /// Translates an error of the domain into a problem.
    ///
    /// Returns `nil` for an unknown error, which becomes `internal_error`.
    package var translate: @Sendable (any Error) -> Problem?

    /// The header fields of every answer that is not a problem.
    ///
    /// Defaults to `Cache-Control: no-store`.
    package var headers: HTTPFields

    /// The maximum time for a body to arrive.
    ///
    /// Defaults to 10 seconds.
    ///
    /// The connection's own deadline for a body bounds the wait for each piece.
    package var bodyDeadline: Duration

    /// The maximum time between authentication and the start of the handler.
    ///
    /// Defaults to 10 ms.
    ///
    /// A request with a slower body is authenticated again, so that a client cannot hold a body back until its credential is revoked.
    package var credentialAge: Duration

    /// The clock that measures deadlines.
    package var clock: any Clock<Duration>

    /// The maximum time of all waits of most requests, in the authentication and the handler together.
    ///
    /// Defaults to 8 seconds.
    package var waits: Duration = .seconds(8)

    /// The maximum time of all waits of a request to an operation with long waits.
    ///
    /// Defaults to 60 seconds.
    package var longWaits: Duration = .seconds(60)

    /// The maximum time of all waits of a request that stops keys.
    ///
    /// Defaults to 3.2 seconds.
    package var stopWaits: Duration = .milliseconds(3200)

    /// Runs a body so that its waits last no longer than a duration in all.
    ///
    /// Waits that would last longer throw.
    ///
    /// Defaults to a closure that limits nothing.
    package var limitWaits: @Sendable (_ limit: Duration, _ body: () async throws -> Void) async throws -> Void = {
        try await $1()
    }

    /// The requests that have a line in the access log.
    package var accessLog: AccessLog

    /// Returns the address of a request's client for the access log.
    ///
    /// Defaults to the address of the connection's peer.
    package var clientAddress: @Sendable (HTTPFields, SocketAddress?) -> String? = { $1?.ipAddress }

    /// Masks secrets in a text before the text reaches a log.
    package var redact: @Sendable (String) -> String

    /// Counts and times requests.
    ///
    /// `nil` counts none.
    package var metrics: (any MetricsFactory)?

    /// Creates settings.
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
