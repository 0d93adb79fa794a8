package import HTTPTypes
package import Hummingbird
package import NIOCore

extension EndpointResponder {
    /// The way to the first step of the operation without the router; `nil` if the operation has none, needs more than a caller and its
    /// body, or notes facts for a line in the log.
    var firstStepRoute: FirstStepRoute? {
        guard case .firstStep(let step) = endpoint.work, case .only(let method) = endpoint.method,
            endpoint.access != .open, endpoint.parameters.isEmpty, endpoint.body?.check == nil, endpoint.isStop == nil,
            !isUsuallyLogged
        else { return nil }
        return FirstStepRoute(method: method, path: endpoint.path.text) { begin($0, $1, $2, step) }
    }

    /// Performs the first step of a request whose body is in memory.
    ///
    /// The checks are those of a request that comes from the router, in the same order.
    private func begin(
        _ request: Request,
        _ body: ByteBuffer,
        _ context: MortiseRequestContext,
        _ step: @escaping Endpoint<Principal>.FirstStep
    ) -> FirstStepResult? {
        guard body.readableBytes <= endpoint.body?.maximumBytes ?? 0 else { return nil }
        var facts = Facts(trail: nil)
        guard let caller = security.authenticateAtOnce?(request.headers, context, false) else {
            return .wait { [facts] in await perform(request, body, context, facts, step) }
        }
        facts.caller = caller
        do {
            switch try step(authorized(request, body, context, caller)) {
            case .answer(let response):
                return .answer(finish(request, context, facts, response).head, response.body)
            case .wait(let rest): return .wait { [facts] in await end(request, context, facts, rest) }
            }
        } catch {
            let response = fail(request, context, facts, error)
            return .wait { .whole(response) }
        }
    }

    /// Performs a request whose caller has to be waited for.
    ///
    /// Its body is in memory, so one limit holds for all of its waits together.
    private func perform(
        _ request: Request,
        _ body: ByteBuffer,
        _ context: MortiseRequestContext,
        _ facts: Facts,
        _ step: Endpoint<Principal>.FirstStep
    ) async -> RequestAnswer {
        var facts = facts
        var waits = WaitBudget(endpoint, settings)
        do {
            let response = try await waits.spend {
                let caller = try await security.authenticate(request.headers, context, false)
                facts.caller = caller
                switch try step(authorized(request, body, context, caller)) {
                case .answer(let response): return response
                case .wait(let rest):
                    guard let onBehalf = security.onBehalf else { return try await rest() }
                    return try await onBehalf(caller, rest)
                }
            }
            return answer(request, context, facts, response)
        } catch {
            return .whole(fail(request, context, facts, error))
        }
    }

    /// Performs the part of an operation that waits.
    private func end(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ facts: Facts,
        _ rest: () async throws -> EndpointResponse
    ) async -> RequestAnswer {
        var waits = WaitBudget(endpoint, settings)
        do {
            return answer(request, context, facts, try await waiting(facts.caller, &waits, rest))
        } catch {
            return .whole(fail(request, context, facts, error))
        }
    }

    /// Returns a request that has passed all checks.
    private func authorized(
        _ request: Request,
        _ body: ByteBuffer,
        _ context: MortiseRequestContext,
        _ caller: Principal
    ) throws -> EndpointRequest<Principal> {
        try security.authorize(caller, endpoint.access)
        var input = try input(request)
        let json = try json(body, request, &input.faults)
        return try valid(request, caller, input, body, json, context)
    }

    private func answer(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ facts: Facts,
        _ response: EndpointResponse
    ) -> RequestAnswer {
        .bytes(finish(request, context, facts, response).head, response.body)
    }
}

/// The way to the first step of an operation for a connection, which performs it on its own thread.
///
/// A request that needs no more than its first step then needs no task, and no switch of threads.
package struct FirstStepRoute: Sendable {
    let method: HTTPRequest.Method
    let path: String
    /// Performs the first step of a request with its body; `nil` if the request has to pass the router, and nothing was done.
    let begin: @Sendable (Request, ByteBuffer, MortiseRequestContext) -> FirstStepResult?
}

/// The result of the first step of a request.
package enum FirstStepResult: Sendable {
    /// The head and the body of the answer.
    case answer(HTTPResponse, ByteBuffer?)
    /// The rest of the request, which waits, and answers every error.
    case wait(@Sendable () async -> RequestAnswer)
}

/// The answer to a request.
package enum RequestAnswer: Sendable {
    /// The head, and the bytes of the body.
    case bytes(HTTPResponse, ByteBuffer?)
    /// The head, and a body that has to be asked for its bytes.
    case whole(Response)

    /// Adds a header field.
    mutating func append(_ field: HTTPField) {
        switch self {
        case .bytes(var head, let body):
            head.headerFields.append(field)
            self = .bytes(head, body)
        case .whole(var response):
            response.headers.append(field)
            self = .whole(response)
        }
    }
}
