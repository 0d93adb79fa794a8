import Endpoints

/// The answers to the calls of a gRPC listener.
struct GRPCCalls: Sendable {
    /// The outcome of a call.
    enum Outcome: Sendable, Hashable {
        /// The answer of `Authorization/Check`.
        case answer(GatewayAnswer)
        /// The answer of `Health/Check`.
        case health(isServing: Bool)
        /// No answer.
        case status(GRPCStatus)
    }

    /// The reply to a call.
    enum Reply: Sendable {
        /// An outcome that is known at once.
        case now(Outcome)
        /// An outcome that must be waited for.
        case later(@Sendable () async -> Outcome)
    }

    private let routes: GatewayRoutes
    private let extensions = ExtensionCache()

    /// Creates the answers.
    init(_ routes: GatewayRoutes) { self.routes = routes }

    /// Replies to a call with a message.
    func reply(to method: GRPCMethod, _ message: [UInt8]) -> Reply {
        switch method {
        case .check: check(message)
        case .health: health(message)
        }
    }

    /// Returns the outcome of a call whose message is too large.
    func refuseMessage(of method: GRPCMethod) -> Outcome {
        switch method {
        case .check: .answer(routes.authorizer.refuse(.messageTooLarge))
        case .health: .status(.messageTooLarge)
        }
    }

    /// Returns the outcome of a call on a connection whose calls are too many.
    func refuseCall(of method: GRPCMethod) -> Outcome {
        switch method {
        case .check: .answer(routes.authorizer.refuse(GatewayAnswer(.unavailable)))
        case .health: .status(.tooManyCalls)
        }
    }

    /// Replies to a check.
    ///
    /// A message that cannot be read is refused and not answered with an error: with `failure_mode_allow`, an error lets everybody in.
    private func check(_ message: [UInt8]) -> Reply {
        let request: CheckRequest
        do throws(ProtobufFault) {
            request = try CheckRequest(message)
        } catch {
            return .now(.answer(routes.authorizer.refuse(.malformedMessage)))
        }
        if request.headerBytes > GatewayRoutes.maximumHeaders {
            return .now(.answer(routes.authorizer.refuse(.headersTooLarge)))
        }
        let asked: Authorizer.Asked
        do throws(CheckFault) {
            let path = try extensions.read(request)
            asked = .question(
                CheckQuestion(path, request, from: .connection(request.source), routes.authorizer.clients)
            )
        } catch {
            asked = .fault(error)
        }
        return switch routes.authorizer.reply(to: asked) {
        case .now(let answer): .now(.answer(answer))
        case .later(let check): .later { .answer(await check()) }
        }
    }

    private func health(_ message: [UInt8]) -> Reply {
        var service = ""
        do throws(ProtobufFault) {
            var reader = ProtobufReader(message)
            while let field = try reader.next() {
                // HealthCheckRequest.service
                if field.number == 1, case .bytes(let text) = field.value {
                    service = String(decoding: message[text], as: UTF8.self)
                }
            }
        } catch {
            return .now(.status(.malformedMessage))
        }
        guard GRPCMethod.services.contains(service) else { return .now(.status(.unknownService)) }
        return .later { [routes] in .health(isServing: await routes.readiness().isReady) }
    }
}

extension GatewayAnswer {
    /// The answer to a message that is no `CheckRequest`.
    static let malformedMessage = unread("The message is not a CheckRequest.")

    /// The answer to a message that is too large.
    static let messageTooLarge = unread(
        "The check must have at most \(GRPCHandler.maximumMessage) bytes. Let the gateway send less of the request.",
        status: 413
    )
}
