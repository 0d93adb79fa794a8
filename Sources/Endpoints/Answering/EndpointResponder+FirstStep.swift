package import HTTPTypes
package import Hummingbird
package import NIOCore

extension EndpointResponder {
    /// The way to the first step of the operation without a task; `nil` if the operation has none, or notes facts for a line in the log.
    var firstStepRoute: FirstStepRoute? {
        guard case .firstStep(let step) = endpoint.work, case .only(let method) = endpoint.method,
            endpoint.parameters.isEmpty, endpoint.body?.check == nil, !isUsuallyLogged
        else { return nil }
        return FirstStepRoute(method: method, path: endpoint.path.text) { begin($0, $1, $2, step) }
    }

    /// Performs the first step of a request whose body is in memory.
    ///
    /// The checks are those of a request that runs in a task, in the same order.
    private func begin(
        _ request: Request,
        _ body: ByteBuffer,
        _ context: MortiseRequestContext,
        _ step: Endpoint<Principal>.FirstStep
    ) -> FirstStepResult? {
        var facts = Facts(trail: nil)
        guard body.readableBytes <= endpoint.body?.maximumBytes ?? 0,
            let caller = security.authenticateAtOnce?(request.headers, context, false)
        else { return nil }
        facts.caller = caller
        do {
            try security.authorize(caller, endpoint.access)
            var input = try input(request)
            let json = try json(body, request, &input.faults)
            let endpointRequest = try valid(request, caller, input, body, json, context)
            switch try step(endpointRequest) {
            case .answer(let response):
                return .answer(finish(request, context, facts, response).head, response.body)
            case .wait(let rest):
                let isStop = endpoint.isStop?(endpointRequest) == true
                return .wait { [facts] in await end(request, context, facts, isStop: isStop, rest) }
            }
        } catch {
            let response = fail(request, context, facts, error)
            return .wait { response }
        }
    }

    /// Performs the part of an operation that waits.
    private func end(
        _ request: Request,
        _ context: MortiseRequestContext,
        _ facts: Facts,
        isStop: Bool,
        _ rest: () async throws -> EndpointResponse
    ) async -> Response {
        var waits = WaitBudget(endpoint, settings)
        waits.decide(isStop: isStop)
        do {
            return finish(request, context, facts, try await waiting(facts.caller, &waits, rest))
        } catch {
            return fail(request, context, facts, error)
        }
    }
}

/// The way to the first step of an operation for a connection, which performs it on its own thread.
///
/// A request that needs no more than its first step then needs no task, and no switch of threads.
package struct FirstStepRoute: Sendable {
    let method: HTTPRequest.Method
    let path: String
    /// Performs the first step of a request with its body; `nil` if something else must be waited for first, and nothing was done.
    let begin: @Sendable (Request, ByteBuffer, MortiseRequestContext) -> FirstStepResult?
}

/// The result of the first step of a request.
package enum FirstStepResult: Sendable {
    /// The head and the body of the answer.
    case answer(HTTPResponse, ByteBuffer?)
    /// The rest of the request, which waits, and answers every error.
    case wait(@Sendable () async -> Response)
}
