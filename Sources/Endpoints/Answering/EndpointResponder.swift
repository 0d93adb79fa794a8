import HTTPTypes
import Hummingbird
import JSON
import Logging
import NIOCore
import Traces
import Tracing

/// Answers the requests of one endpoint.
///
/// No error leaves the responder. The responder renders the answer to every error.
struct EndpointResponder<Principal: Sendable>: HTTPResponder {
    let endpoint: Endpoint<Principal>
    let security: EndpointSecurity<Principal>
    let settings: EndpointSettings
    private let metrics: EndpointMetrics?

    init(endpoint: Endpoint<Principal>, security: EndpointSecurity<Principal>, settings: EndpointSettings) {
        self.endpoint = endpoint
        self.security = security
        self.settings = settings
        metrics = (endpoint.isCounted ? settings.metrics : nil)
            .map {
                EndpointMetrics(operationID: endpoint.operationID, factory: $0)
            }
    }

    func respond(to request: Request, context: MortiseRequestContext) async -> Response {
        context.span?.name(operation: endpoint.operationID, route: endpoint.path.text)
        var facts = Facts(trail: isUsuallyLogged ? RequestTrail() : nil)
        do {
            let answer = try await answer(request, context, &facts)
            return finish(request, context, facts, answer)
        } catch {
            return fail(request, context, facts, error)
        }
    }

    /// The facts about a request that its log line and its metrics have.
    struct Facts {
        let start = NIODeadline.now()
        let trail: RequestTrail?
        var caller: Principal?
    }

    /// Returns the answer, and reports the request.
    func finish(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ facts: Facts,
        _ answer: EndpointResponse
    ) -> Response {
        conclude(request, context, facts, answer.response(common: settings.headers), nil)
    }

    /// Returns the answer to an error, and reports the request.
    func fail(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ facts: Facts,
        _ error: any Error
    ) -> Response {
        var problem = problem(for: error, context)
        // The sentence depends on the route alone, so an unknown id and the id of another tenant look the same.
        if problem == .notFound, let absence = endpoint.parameters.last?.absence { problem.detail = absence }
        let failure = Failure(code: problem.code ?? problem.kind.rawValue, error: error)
        return conclude(request, context, facts, settings.renderer.render(problem, context), failure)
    }

    private func conclude(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ facts: Facts,
        _ answer: Response,
        _ failure: Failure?
    ) -> Response {
        let response = request.method == .head ? answer.createHeadResponse() : answer
        report(request, context, response.status, facts, failure)
        return response
    }

    /// The reason of an answer that is no success.
    private struct Failure {
        let code: String
        let error: any Error

        /// The cause in words, which the answer may hide from the client; `nil` if the code says it all.
        var cause: String? { error is Problem || error is RequestBodyFault ? nil : String(describing: error) }
    }

    /// True if a request has a line in the access log also if it succeeds.
    var isUsuallyLogged: Bool {
        switch settings.accessLog {
        case .all: true
        case .declared: endpoint.logsAccess
        case .failures: false
        }
    }

    /// Answers a request, and notes facts about it in a trail.
    private func answer(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ facts: inout Facts
    ) async throws -> EndpointResponse {
        guard let trail = facts.trail else { return try await answer(request, context, &facts.caller) }
        return try await RequestTrail.$current.withValue(trail) {
            try await answer(request, context, &facts.caller)
        }
    }

    /// Authenticates, authorizes, validates and runs the handler, in this order.
    ///
    /// Authenticates again if the body was slow. `known` becomes the principal, also for a request that is refused.
    private func answer(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ known: inout Principal?
    ) async throws -> EndpointResponse {
        var waits = WaitBudget(endpoint, settings)
        var principal = try await caller(request, context, isRepeated: false, &known, &waits)
        let authenticated = NIODeadline.now()
        var input = try input(request)
        let rawBody = try await body(request, context, &waits)
        let json = try json(rawBody, request, &input.faults)
        // A client that holds a body back until its credential is revoked must not use what the credential permitted before.
        if principal != nil, NIODeadline.now() - authenticated >= TimeAmount(settings.credentialAge) {
            principal = try await caller(request, context, isRepeated: true, &known, &waits)
        }
        let endpointRequest = try valid(request, principal, input, rawBody, json, context)
        waits.decide(isStop: endpoint.isStop?(endpointRequest) == true)
        switch endpoint.work {
        case .handler(let handler):
            return try await waiting(principal, &waits) { try await handle(endpointRequest, handler) }
        case .firstStep(let begin):
            switch try begin(endpointRequest) {
            case .answer(let response): return response
            case .wait(let rest): return try await waiting(principal, &waits, rest)
            }
        }
    }

    /// Returns a request that has passed all checks.
    ///
    /// Throws a problem with all faults of the input.
    func valid(
        _ request: Request,
        _ principal: Principal?,
        _ input: Input,
        _ rawBody: ByteBuffer,
        _ json: JSONValue,
        _ context: MortiseRequestContext
    ) throws -> EndpointRequest<Principal> {
        guard input.faults.isEmpty else { throw Problem.invalidRequest(input.faults) }
        return EndpointRequest(
            principal: principal,
            parameters: input.parameters,
            query: input.query,
            body: Fields(endpoint.body?.schema.known(in: json) ?? JSONObject()),
            json: json,
            rawBody: endpoint.body == nil ? ByteBuffer() : rawBody,
            idempotencyKey: input.idempotencyKey,
            head: request.head,
            path: request.uri.path,
            rawQuery: input.rawQuery,
            context: context
        )
    }

    /// Runs the part of an operation that waits, on behalf of its caller and within the rest of the budget.
    func waiting(
        _ principal: Principal?,
        _ waits: inout WaitBudget,
        _ body: () async throws -> EndpointResponse
    ) async throws -> EndpointResponse {
        guard let onBehalf = security.onBehalf else { return try await waits.spend(body) }
        return try await waits.spend { try await onBehalf(principal, body) }
    }

    /// Runs the handler until its deadline.
    private func handle(
        _ request: EndpointRequest<Principal>,
        _ handler: @escaping Endpoint<Principal>.Handler
    ) async throws -> EndpointResponse {
        guard let deadline = endpoint.deadline else { return try await handler(request) }
        return try await withDeadline(deadline, clock: settings.clock) { try await handler(request) }
    }

    private func caller(
        _ request: Request,
        _ context: MortiseRequestContext,
        isRepeated: Bool,
        _ known: inout Principal?,
        _ waits: inout WaitBudget
    ) async throws -> Principal? {
        guard endpoint.access != .open else { return nil }
        let principal: Principal
        if let found = security.authenticateAtOnce?(request.headers, context, isRepeated) {
            principal = found
        } else {
            principal = try await waits.spend {
                try await security.authenticate(request.headers, context, isRepeated)
            }
        }
        known = principal
        try security.authorize(principal, endpoint.access)
        return principal
    }

    /// Returns the problem that stands for an error.
    ///
    /// The client is told nothing of an error that nothing translates. The request's log line has it.
    private func problem(for error: any Error, _ context: MortiseRequestContext) -> Problem {
        if let problem = error as? Problem { return problem }
        if let fault = error as? RequestBodyFault { return fault.problem }
        if let problem = settings.translate(error) { return problem }
        context.span?.recordError(error)
        // The connection or the server is closing, so no client reads the answer.
        if error is CancellationError, Task.isCancelled { return .serviceUnavailable(retryAfter: 1) }
        return .internalError
    }

    private func report(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ status: HTTPResponse.Status,
        _ facts: Facts,
        _ failure: Failure?
    ) {
        let duration = NIODeadline.now() - facts.start
        metrics?.record(status, nanoseconds: duration.nanoseconds)
        let isFault = status.code >= 500
        guard isUsuallyLogged || isFault else { return }
        // The template stands for the path, because a client can put a secret into a path.
        var metadata: Logger.Metadata = [
            "operation": .string(endpoint.operationID),
            "method": .string(request.method.rawValue),
            "path": .string(endpoint.path.text),
            "status": .stringConvertible(status.code),
            "duration_us": .stringConvertible(duration.nanoseconds / 1000),
            "remote_address": .string(context.remoteAddress?.ipAddress ?? ""),
        ]
        if let address = settings.clientAddress(request.headers, context.remoteAddress) {
            metadata["address"] = .string(address)
        }
        if let failure {
            metadata["code"] = .string(failure.code)
            if isFault, let cause = failure.cause { metadata["error"] = .string(settings.redact(cause)) }
        }
        if let workspace = facts.trail?.workspaceID ?? workspaceID(request) {
            metadata["workspace_id"] = .string(workspace)
        }
        if let caller = facts.caller { metadata.merge(security.describe(caller)) { _, new in new } }
        // Only a 500 is the program's fault. The cause of other failures, such as a database that is down, has one line at `error` of its
        // own, however many requests meet it.
        let level: Logger.Level = if status.code == 500 { .error } else if isFault { .warning } else { .info }
        context.logger.log(level: level, "request", metadata: metadata)
    }

    /// Returns the id of the workspace that the path names, or `nil` for a name, which could be a secret in the wrong place.
    private func workspaceID(_ request: Request) -> String? {
        guard endpoint.parameters.contains(where: { $0.name == "workspace" }),
            let value = endpoint.path.match(request.uri.path)?.first(where: { $0.name == "workspace" })?.value,
            TextFormat.uuid.matches(String(value))
        else { return nil }
        return value.lowercased()
    }
}
