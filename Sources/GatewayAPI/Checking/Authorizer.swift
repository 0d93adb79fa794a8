package import CoreMetrics
package import Endpoints
package import Keys
package import Logging
import NIOCore
import Postgres
package import Service
package import Surfaces
import Verification

/// Answers the questions of gateways.
package final class Authorizer: Sendable {
    /// A request of a gateway, with the question that was read from it.
    package enum Asked: Sendable, Hashable {
        /// A question.
        case question(CheckQuestion)
        /// The options of the path are wrong.
        case fault(CheckFault)
    }

    /// The trusted proxies.
    package let clients: ClientAddresses

    private let access: AccessControl
    private let verifier: Verifier
    private let audiences: AudienceCache
    private let deadline: Duration
    private let verdicts: VerdictCounters
    private let answers: AnswerCounters
    private let accessLog: EndpointSettings.AccessLog
    private let faults: ConfigurationLog
    private let failures: FailureLimiter
    private let paths = PathCache()
    private let logger: Logger

    /// Creates an authorizer.
    ///
    /// - Parameters:
    ///   - platform: The use cases.
    ///   - clients: The trusted proxies.
    ///   - deadline: The maximum time of a check.
    ///   - metrics: Counts the answers.
    ///   - accessLog: The checks that have a line in the access log.
    ///   - logger: The logger.
    package init(
        _ platform: Platform,
        clients: ClientAddresses,
        deadline: Duration,
        metrics: any MetricsFactory,
        accessLog: EndpointSettings.AccessLog,
        logger: Logger
    ) {
        access = platform.access
        verifier = platform.verifier
        audiences = AudienceCache { [access = platform.access] name in
            try await PostgresDeadline.with(deadline) {
                switch name {
                case .organization(let id): try await access.audience(ofOrganization: id)
                case .organizationSlug(let slug): try await access.audience(ofOrganizationSlug: slug)
                case .workspace, .malformed: nil
                }
            }
        }
        self.clients = clients
        self.deadline = deadline
        failures = FailureLimiter(platform.databases)
        verdicts = VerdictCounters(metrics)
        answers = AnswerCounters(metrics)
        self.accessLog = accessLog
        self.logger = logger
        faults = ConfigurationLog(logger)
    }

    /// Reads the question of a request, or returns `nil` if the target is not the target of a check.
    package func read(_ target: String, _ headers: some RequestHeaders, from peer: GatewayPeer) -> Asked? {
        do throws(CheckFault) {
            guard let path = try paths.read(target) else { return nil }
            return .question(CheckQuestion(path, headers, from: peer, clients))
        } catch {
            return .fault(error)
        }
    }

    /// Counts the refusal of a request that was not read as a question.
    ///
    /// - Parameter refusal: The answer, which has a reason.
    /// - Returns: The answer.
    func refuse(_ refusal: GatewayAnswer) -> GatewayAnswer {
        if let reason = refusal[GatewayAnswer.reasonName] { answers.count(reason) }
        return refusal
    }

    /// Notes that a connection does not begin with the header of the PROXY protocol, and so has no answer.
    func noteMissingProxyHeader() { faults.report(.proxyHeader) }

    /// Replies to a request of a gateway that anybody who can connect may ask.
    ///
    /// The reply is known at once if the audience and the key are in memory, or if there is nothing to look for.
    func reply(to asked: Asked) -> GatewayRoutes.Reply {
        let start = NIODeadline.now()
        guard case .question(let question) = asked else { return .now(conclude(asked, start) { _ in .noToken }) }
        guard let audience = known(question.audience, at: start) else {
            return .later { [self] in await measured(asked, start) { try await outcome($0, within: nil) } }
        }
        switch first(question, audience) {
        case .outcome(let outcome): return .now(conclude(limited(outcome, question, nil), question, asked, start))
        case .pending(let pending):
            return .later { [self] in await measured(asked, start) { _ in try await finish(pending) } }
        }
    }

    /// Returns the audience with a name, if it is in memory.
    private func known(_ name: AudienceName, at now: NIODeadline) -> Audience? {
        if case .workspace(let id) = name { return access.knownAudience(ofWorkspace: id) }
        return audiences.known(name, at: now)
    }

    /// Returns the audience with a name, or `nil` if it does not exist.
    private func audience(_ name: AudienceName) async throws -> Audience? {
        if case .workspace(let id) = name { return try await access.audience(ofWorkspace: id) }
        return try await audiences.audience(name, at: .now())
    }

    /// The result of the part of a check that waits for nothing.
    private enum First {
        case outcome(CheckOutcome)
        case pending(PendingVerification)
    }

    private func first(_ question: CheckQuestion, _ audience: Audience) -> First {
        switch question.token {
        case .none: return .outcome(.noToken)
        case .malformed: return .outcome(.unknown(.malformed))
        case .text(let presented):
            switch verifier.verifyInMemory(presented, question.request, audience: audience) {
            case .pending(let pending): return .pending(pending)
            case .verdict(let verdict):
                verdicts.count(verdict.code)
                return .outcome(CheckOutcome(verdict))
            }
        }
    }

    private func finish(_ pending: PendingVerification) async throws -> CheckOutcome {
        do {
            let verdict = try await verifier.finish(pending)
            verdicts.count(verdict.code)
            return CheckOutcome(verdict)
        } catch is WorkspaceUnreachable {
            verdicts.count(.workspaceUnavailable)
            return .unavailable
        }
    }

    /// Answers a request of a gateway that must have a credential.
    ///
    /// The audience must be the credential's, or a part of it.
    ///
    /// - Parameters:
    ///   - asked: The request.
    ///   - credentials: The lines of `X-Mortise-Key`.
    ///   - address: The gateway's own address, for a credential that is bound to addresses.
    /// - Returns: The answer.
    package func answer(_ asked: Asked, credentials: [String], from address: IPAddress?) async -> GatewayAnswer {
        // The authentication of the gateway and the check have one deadline together.
        await PostgresDeadline.with(deadline) { await authenticateAndAnswer(asked, credentials, address) }
    }

    private func authenticateAndAnswer(
        _ asked: Asked,
        _ credentials: [String],
        _ address: IPAddress?
    ) async -> GatewayAnswer {
        let start = NIODeadline.now()
        let bounds: Audience
        do {
            guard credentials.count == 1, let token = try? Token(credentials[0]) else {
                return refuseCredential(asked)
            }
            let principal = try await access.authenticate(token.reveal(), from: address)
            bounds = try access.audience(of: principal)
        } catch Refusal.limitReached(let limit) {
            return conclude(asked, start) { _ in .gatewayLimit(limit) }
        } catch Refusal.directoryUnavailable, Refusal.unavailable {
            return conclude(asked, start) { _ in .unavailable }
        } catch is Refusal {
            return refuseCredential(asked)
        } catch {
            return conclude(asked, start) { _ in throw error }
        }
        return await measured(asked, start, gateway: address) { try await outcome($0, within: bounds) }
    }

    /// Answers before the options of the path are looked at.
    private func refuseCredential(_ asked: Asked) -> GatewayAnswer {
        faults.report(.credential)
        answers.count(.gatewayCredential)
        let answer = GatewayAnswer(.gatewayCredential)
        log(asked, .gatewayCredential, answer, NIODeadline.now())
        return answer
    }

    private func outcome(_ question: CheckQuestion, within bounds: Audience?) async throws -> CheckOutcome {
        try await PostgresDeadline.with(deadline) {
            let found: Audience?
            do {
                found = try await audience(question.audience)
            } catch {
                // Nobody gets in without a token, whatever the audience is.
                guard bounds == nil, let outcome = Self.outcomeWithoutKey(question) else { throw error }
                return outcome
            }
            if let bounds {
                guard let found, bounds.contains(found) else {
                    // The answer does not tell which organizations exist. The log does.
                    faults.report(found == nil ? .audience : .credential)
                    return .gatewayCredential
                }
            } else if found == nil {
                faults.report(.audience)
            }
            guard let found else { return Self.outcomeWithoutKey(question) ?? .unknown(.notFound) }
            switch first(question, found) {
            case .outcome(let outcome): return outcome
            case .pending(let pending): return try await finish(pending)
            }
        }
    }

    /// Returns the outcome of a question without a token, or with a text that is none, which needs no audience; otherwise `nil`.
    private static func outcomeWithoutKey(_ question: CheckQuestion) -> CheckOutcome? {
        switch question.token {
        case .none: .noToken
        case .malformed: .unknown(.malformed)
        case .text(let text): (try? Token(text)) == nil ? .unknown(.malformed) : nil
        }
    }

    /// Runs a check, and counts, logs and renders its outcome.
    private func measured(
        _ asked: Asked,
        _ start: NIODeadline,
        gateway: IPAddress? = nil,
        _ check: (CheckQuestion) async throws -> CheckOutcome
    ) async -> GatewayAnswer {
        guard case .question(let question) = asked else { return conclude(asked, start) { _ in .noToken } }
        let result: Result<CheckOutcome, any Error>
        do {
            result = .success(try await check(question))
        } catch {
            result = .failure(error)
        }
        return conclude(asked, start, gateway: gateway) { _ in try result.get() }
    }

    /// Counts, logs and renders the outcome of a check.
    ///
    /// - Parameters:
    ///   - asked: The request.
    ///   - start: The start of the check.
    ///   - gateway: The gateway's own address, which counts no failures. `nil` if the question's address is never the gateway's.
    ///   - check: Returns the outcome for a question.
    /// - Returns: The answer.
    private func conclude(
        _ asked: Asked,
        _ start: NIODeadline,
        gateway: IPAddress? = nil,
        _ check: (CheckQuestion) throws -> CheckOutcome
    ) -> GatewayAnswer {
        switch asked {
        case .fault(let fault):
            faults.report(.options(fault))
            return finish(.invalid(fault), GatewayAnswer(.invalid(fault)), asked, start)
        case .question(let question):
            do {
                return conclude(limited(try check(question), question, gateway), question, asked, start)
            } catch {
                // The gateway has cancelled the check. Nobody reads the answer, and an operator must not take it for an outage.
                if error is CancellationError || (error as? PostgresError)?.code == .cancelled {
                    return GatewayAnswer(.unavailable, scopes: question.request.scopes, statuses: question.statuses)
                }
                report(error)
                return conclude(.unavailable, question, asked, start)
            }
        }
    }

    private func conclude(
        _ outcome: CheckOutcome,
        _ question: CheckQuestion,
        _ asked: Asked,
        _ start: NIODeadline
    ) -> GatewayAnswer {
        let answer = GatewayAnswer(outcome, scopes: question.request.scopes, statuses: question.statuses)
        return finish(outcome, answer, asked, start)
    }

    private func finish(
        _ outcome: CheckOutcome,
        _ answer: GatewayAnswer,
        _ asked: Asked,
        _ start: NIODeadline
    ) -> GatewayAnswer {
        answers.count(outcome)
        log(asked, outcome, answer, start)
        return answer
    }

    /// Returns the outcome, or the refusal of a client that has presented too many unknown tokens.
    ///
    /// The address of a trusted proxy stands for all of its clients.
    private func limited(_ outcome: consuming CheckOutcome, _ question: CheckQuestion, _ gateway: IPAddress?)
        -> CheckOutcome
    {
        guard case .unknown = outcome, let address = question.request.address, address != gateway,
            !clients.isTrusted(address), let limit = failures.failure(of: address)
        else { return outcome }
        return .tooManyFailures(limit)
    }

    /// Logs the error of a check.
    ///
    /// Nobody gets in because of it.
    private func report(_ error: any Error) {
        let isExpected = DomainProblems.problem(for: error) != nil
        logger.log(
            level: isExpected ? .warning : .error,
            isExpected ? "a gateway's check failed, because a database is unavailable" : "a gateway's check failed",
            metadata: ["error": "\(error)"]
        )
    }

    private func log(_ asked: Asked, _ outcome: CheckOutcome, _ answer: GatewayAnswer, _ start: NIODeadline) {
        guard accessLog == .all else { return }
        var metadata: Logger.Metadata = [
            "operation": "authorize",
            "path": "/v1/authorize",
            "status": .stringConvertible(answer.status),
            "code": .string(outcome.reason),
            "duration_us": .stringConvertible((NIODeadline.now() - start).nanoseconds / 1000),
        ]
        if case .question(let question) = asked {
            if let address = question.request.address { metadata["address"] = .string(address.description) }
            if case .workspace(let id) = question.audience { metadata["workspace_id"] = .string(UUIDv7.text(of: id)) }
        }
        logger.info("request", metadata: metadata)
    }
}

extension Audience {
    /// Returns true if every workspace of the other audience is in this one.
    fileprivate func contains(_ other: Audience) -> Bool {
        switch (self, other) {
        case (.organization(let own), .organization(let other)), (.organization(let own), .workspace(_, let other)):
            own == other
        case (.workspace, .workspace): self == other
        case (.workspace, .organization): false
        }
    }
}

extension CheckOutcome {
    /// Creates the outcome of a verification.
    init(_ verdict: Verdict) {
        guard let verified = verdict.key else {
            self = .unknown(verdict.code)
            return
        }
        let key = CheckedKey(verified)
        self =
            verdict.code.isValid
            ? .valid(key, limit: verdict.rateLimit) : .refused(verdict.code, key, limit: verdict.rateLimit)
    }
}
