public import KeyStore
public import Keys
import Postgres
public import Tenancy

/// Turns tokens into verdicts.
///
/// A verification has these steps, in this order:
///
/// 1. The form and the checksum of the token are checked, without a read.
/// 2. The token's workspace is compared with the audience, before any read of a workspace's database.
/// 3. One indexed read finds the key in the workspace's database. Reads of one flush share a round trip.
/// 4. The key is judged by the database's time.
/// 5. Rate limits are counted, and then the use.
public final class Verifier: Sendable {
    private let databases: Databases
    private let peppers: PepperCache
    private let usage: UsageRecorder
    private let limiter: UseLimiter
    /// The longest time of a verification, with all of its waits.
    public let deadline: Duration

    /// Creates a verifier.
    ///
    /// - Parameters:
    ///   - databases: Finds workspaces and reads their databases.
    ///   - peppers: The peppers that tokens are digested with.
    ///   - usage: Counts verifications.
    ///   - deadline: The longest time of a verification, with all of its waits. Defaults to 2 s.
    ///   - nanoseconds: A clock for rate limits that never goes back. Defaults to the system's.
    public init(
        databases: Databases,
        peppers: PepperRing,
        usage: UsageRecorder,
        deadline: Duration = .seconds(2),
        nanoseconds: (@Sendable () -> Int64)? = nil
    ) {
        self.databases = databases
        self.peppers = PepperCache(peppers)
        self.usage = usage
        limiter = UseLimiter(nanoseconds: nanoseconds)
        self.deadline = deadline
    }

    /// Verifies a token.
    ///
    /// - Parameters:
    ///   - text: The text that was presented as a token.
    ///   - request: The demands on the key.
    ///   - audience: The owner whose keys can be found.
    ///   - isCounted: True if the verification counts as a use, for rate limits and statistics. Defaults to true.
    /// - Returns: The verdict. A refused key is a verdict and not an error.
    /// - Throws: ``WorkspaceUnreachable`` if the workspace's database cannot be reached, the control database's errors if a
    ///   workspace that is new to this node cannot be looked up, and `cancelled` if the task is cancelled.
    public func verify(
        _ text: String,
        _ request: VerificationRequest,
        audience: Audience,
        isCounted: Bool = true
    ) async throws -> Verdict {
        try await PostgresDeadline.with(deadline) {
            try await verifyInTime(text, request, audience, isCounted)
        }
    }

    private func verifyInTime(
        _ text: String,
        _ request: VerificationRequest,
        _ audience: Audience,
        _ isCounted: Bool
    ) async throws -> Verdict {
        switch try await locate(text, audience) {
        case .nowhere(let code): return .withoutKey(code)
        case .workspace(let facts, let token):
            let digests = peppers[facts.ref].digests(of: token)
            let found = try await lookUp(in: facts) { pipeline in
                try await KeyLookup.find(digests, ref: facts.ref, in: pipeline, deadline: deadline)
            }
            guard let found else { return .withoutKey(.notFound) }
            return decideAndCount(found, request, facts, isCounted: isCounted)
        }
    }

    /// Verifies the token of a client key, and returns the key's record from the same read.
    ///
    /// The token of any other key is not found.
    ///
    /// - Parameters:
    ///   - text: The text that was presented as a token.
    ///   - request: The demands on the key.
    ///   - audience: The owner whose keys can be found.
    /// - Returns: The verdict, and the record if the verdict has a key.
    /// - Throws: The errors of ``verify(_:_:audience:isCounted:)``.
    public func verifyClientKey(
        _ text: String,
        _ request: VerificationRequest,
        audience: Audience
    ) async throws -> (verdict: Verdict, record: KeyRecord?) {
        try await PostgresDeadline.with(deadline) { try await verifyClientKeyInTime(text, request, audience) }
    }

    private func verifyClientKeyInTime(
        _ text: String,
        _ request: VerificationRequest,
        _ audience: Audience
    ) async throws -> (verdict: Verdict, record: KeyRecord?) {
        switch try await locate(text, audience) {
        case .nowhere(let code): return (.withoutKey(code), nil)
        case .workspace(let facts, let token):
            let digests = peppers[facts.ref].digests(of: token)
            let result = try await lookUp(in: facts) { pipeline in
                try await KeyLookup.findClientKey(digests, ref: facts.ref, in: pipeline, deadline: deadline)
            }
            guard let (found, record) = result else { return (.withoutKey(.notFound), nil) }
            let verdict = decideAndCount(found, request, facts, isCounted: true)
            return (verdict, verdict.key == nil ? nil : record)
        }
    }

    /// The workspace of a presented text.
    private enum Location {
        case workspace(WorkspaceFacts, Token)
        /// The text is no token, or its workspace is not in the audience.
        case nowhere(VerdictCode)
    }

    private func locate(_ text: String, _ audience: Audience) async throws -> Location {
        let token: Token
        do throws(TokenFault) {
            token = try Token(text)
        } catch {
            return .nowhere(.malformed)
        }
        // A reference of another owner and one that does not exist cost the same, because a node remembers only the
        // workspaces that it found for the caller.
        let facts = try await databases.facts(
            ref: token.parsed.workspaceRef,
            organization: audience.organizationID
        )
        guard let facts, audience.includes(workspace: facts.workspaceID) else { return .nowhere(.notFound) }
        return .workspace(facts, token)
    }

    /// Reads in a workspace's database.
    ///
    /// - Returns: What `body` found, or `nil` if the workspace has been deleted.
    private func lookUp<Found>(
        in facts: WorkspaceFacts,
        _ body: (PostgresPipeline) async throws -> Found?
    ) async throws -> Found? {
        do {
            return try await databases.withLookups(facts, body)
        } catch let error as PostgresError {
            switch error.code {
            case .cancelled: throw error
            default: throw unreachable(facts, error)
            }
        } catch let error as TenancyError {
            // The workspace has been deleted, and its keys with it.
            if error.code == .unknownWorkspace { return nil }
            throw unreachable(facts, error)
        }
    }

    private func unreachable(_ workspace: WorkspaceFacts, _ error: any Error) -> WorkspaceUnreachable {
        databases.report(error, of: workspace)
        return WorkspaceUnreachable(workspaceID: workspace.workspaceID)
    }

    private func decideAndCount(
        _ found: FoundKey,
        _ request: VerificationRequest,
        _ facts: WorkspaceFacts,
        isCounted: Bool
    ) -> Verdict {
        var code = decide(found.state, request, at: found.readAt)
        var limit: RateLimitVerdict?
        if isCounted, code == .valid, !found.state.rateLimits.isUnlimited {
            limit = limiter.use(found.limitID, found.state.rateLimits)
            if limit?.isAllowed == false { code = .rateLimited }
        }
        guard code != .notFound else { return .withoutKey(.notFound) }
        if isCounted { usage.record(facts, found.state, code, at: found.readAt) }
        let key = VerifiedKey(
            found: found,
            workspaceID: facts.workspaceID,
            organizationID: facts.organizationID
        )
        return Verdict(code: code, key: key, rateLimit: limit)
    }
}
