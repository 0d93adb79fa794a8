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
/// 3. The key is found in memory, if the fences allow it. Otherwise one indexed read finds it in the workspace's database. Reads of one
///    flush share a round trip.
/// 4. The key is judged by the database's time.
/// 5. Rate limits are counted, and then the use.
public final class Verifier: Sendable {
    /// The default size of the keys in memory: 64 MiB, about 60,000 keys.
    public static let defaultCacheBytes = 64 << 20

    /// Finds keys, in memory or in their databases.
    package let keys: KeyFinder
    private let databases: Databases
    private let usage: UsageRecorder
    /// The longest time of a verification, with all of its waits.
    public let deadline: Duration

    /// Creates a verifier.
    ///
    /// - Parameters:
    ///   - databases: Finds workspaces and reads their databases.
    ///   - peppers: The peppers that tokens are digested with.
    ///   - usage: Counts verifications.
    ///   - deadline: The longest time of a verification, with all of its waits. Defaults to 2 s.
    ///   - cacheBytes: The maximum size of the keys in memory. 0 means that every verification reads.
    ///   - maximumKeyAge: The maximum age of a key in memory. Defaults to 60 s.
    ///   - nanoseconds: A clock for rate limits that never goes back. Defaults to the system's.
    public init(
        databases: Databases,
        peppers: PepperRing,
        usage: UsageRecorder,
        deadline: Duration = .seconds(2),
        cacheBytes: Int = Verifier.defaultCacheBytes,
        maximumKeyAge: Duration = .seconds(60),
        nanoseconds: (@Sendable () -> Int64)? = nil
    ) {
        self.databases = databases
        self.usage = usage
        keys = KeyFinder(
            databases: databases,
            peppers: peppers,
            cacheBytes: cacheBytes,
            maximumAge: maximumKeyAge,
            deadline: deadline,
            limiter: UseLimiter(nanoseconds: nanoseconds)
        )
        self.deadline = deadline
    }

    /// Verifies a token.
    ///
    /// - Parameters:
    ///   - text: The text that was presented as a token.
    ///   - request: The demands on the key.
    ///   - audience: The owner whose keys can be found.
    ///   - use: The effect on rate limits and statistics. Defaults to that of a use.
    /// - Returns: The verdict. A refused key is a verdict and not an error.
    /// - Throws: ``WorkspaceUnreachable`` if the workspace's database cannot be reached, the control database's errors if a
    ///   workspace that is new to this node cannot be looked up, and `cancelled` if the task is cancelled.
    public func verify(
        _ text: String,
        _ request: VerificationRequest,
        audience: Audience,
        use: KeyUseRule = .counted
    ) async throws -> Verdict {
        switch verifyInMemory(text, request, audience: audience, use: use) {
        case .verdict(let verdict): return verdict
        case .pending(let pending): return try await finish(pending)
        }
    }

    // MARK: In memory

    /// Verifies a token without any wait, if that is possible.
    ///
    /// Call it after the request was received. The parameters are those of ``verify(_:_:audience:use:)``.
    ///
    /// - Returns: The verdict, or what ``finish(_:)`` needs to go on.
    public func verifyInMemory(
        _ text: String,
        _ request: VerificationRequest,
        audience: Audience,
        use: KeyUseRule = .counted
    ) -> FirstStep {
        let token: Token
        do throws(TokenFault) {
            token = try Token(text)
        } catch {
            return .verdict(.withoutKey(.malformed))
        }
        let question = PendingVerification.Question(request: request, audience: audience, use: use)
        guard let home = keys.knownHome(token.parsed.workspaceRef, of: audience.organizationID) else {
            return .pending(PendingVerification(question: question, token: token, found: nil))
        }
        guard let workspace = home.workspace, audience.includes(workspace: workspace.workspaceID) else {
            return .verdict(.withoutKey(.notFound))
        }
        let digests = home.peppers.digests(of: token)
        guard let reading = keys.cached(digests[0], in: home), let decision = judge(reading, question, home) else {
            return .pending(PendingVerification(question: question, token: token, found: (home, digests)))
        }
        return .verdict(conclude(decision, reading, question, workspace, home.counts))
    }

    /// Finishes a verification that memory could not answer.
    ///
    /// - Throws: The errors of ``verify(_:_:audience:use:)``.
    public func finish(_ pending: PendingVerification) async throws -> Verdict {
        try await PostgresDeadline.with(deadline) {
            guard let place = try await locate(pending) else { return .withoutKey(.notFound) }
            let reading = try await reaching(place.workspace) { try await keys.read(place.digests, in: place.home) }
            guard let reading else { return .withoutKey(.notFound) }
            return await decideAndCount(reading, pending.question, place)
        }
    }

    // MARK: A key with its record

    /// Verifies the token of a client key, and returns the key's record from the same read.
    ///
    /// The token of any other key is not found. The key is read from the database, because its record changes with each use.
    ///
    /// - Parameters:
    ///   - text: The text that was presented as a token.
    ///   - request: The demands on the key.
    ///   - audience: The owner whose keys can be found.
    /// - Returns: The verdict, and the record if the verdict has a key. The record shows this use, too.
    /// - Throws: The errors of ``verify(_:_:audience:use:)``.
    public func verifyClientKey(
        _ text: String,
        _ request: VerificationRequest,
        audience: Audience
    ) async throws -> (verdict: Verdict, record: KeyRecord?) {
        guard let token = try? Token(text) else { return (.withoutKey(.malformed), nil) }
        let question = PendingVerification.Question(request: request, audience: audience, use: .counted)
        let pending = PendingVerification(question: question, token: token, found: nil)
        return try await PostgresDeadline.with(deadline) {
            guard let place = try await locate(pending) else { return (.withoutKey(.notFound), nil) }
            let found = try await reaching(place.workspace) {
                try await keys.read(
                    in: place.home,
                    storedUnder: nil,
                    \.key,
                    stopped: { (key: $0.key.stopped, record: $0.record) }
                ) { pipeline, deadline in
                    try await KeyLookup.findClientKey(
                        place.digests,
                        ref: place.home.ref,
                        in: pipeline,
                        deadline: deadline
                    )
                }
            }
            guard let found else { return (.withoutKey(.notFound), nil) }
            let reading = KeyReading(key: found.key, now: found.key.readAt)
            let verdict = await decideAndCount(reading, question, place)
            // After the decision, so that the record shows the use that was just counted, as each later read of the key does.
            return (verdict, verdict.key == nil ? nil : found.record.merging(usesBy: usage.lastUse))
        }
    }

    // MARK: Steps

    private struct Place {
        let home: KeyHome
        let workspace: WorkspaceFacts
        let digests: [PepperedDigest]
    }

    /// Returns the place of a token's key, or `nil` if its workspace is not in the audience.
    private func locate(_ pending: PendingVerification) async throws -> Place? {
        if let (home, digests) = pending.found, let workspace = home.workspace {
            return Place(home: home, workspace: workspace, digests: digests)
        }
        // A reference of another owner and one that does not exist cost the same, because a node remembers only the
        // workspaces that it found for the caller.
        let audience = pending.question.audience
        let home = try await keys.home(pending.token.parsed.workspaceRef, of: audience.organizationID)
        guard let home, let workspace = home.workspace, audience.includes(workspace: workspace.workspaceID) else {
            return nil
        }
        return Place(home: home, workspace: workspace, digests: home.peppers.digests(of: pending.token))
    }

    /// Reads in a workspace's database.
    ///
    /// - Returns: The value that `body` found, or `nil` if the workspace has been deleted.
    private func reaching<Found>(
        _ workspace: WorkspaceFacts,
        _ body: () async throws -> Found?
    ) async throws -> Found? {
        do {
            let found = try await body()
            databases.noteUse(of: workspace)
            return found
        } catch let error as PostgresError {
            switch error.code {
            case .cancelled: throw error
            default: throw unreachable(workspace, error)
            }
        } catch let error as TenancyError {
            // The workspace has been deleted, and its keys with it.
            if error.code == .unknownWorkspace { return nil }
            throw unreachable(workspace, error)
        }
    }

    private func unreachable(_ workspace: WorkspaceFacts, _ error: any Error) -> WorkspaceUnreachable {
        databases.report(error, of: workspace)
        return WorkspaceUnreachable(workspaceID: workspace.workspaceID)
    }

    /// The result of the key's state and limits.
    private struct Decision {
        var code: VerdictCode
        var limit: RateLimitVerdict?
    }

    private func needsLimit(_ code: VerdictCode, _ key: FoundKey, _ question: PendingVerification.Question) -> Bool {
        question.use != .countedBefore && code == .valid && !key.state.rateLimits.isUnlimited
    }

    /// Decides at once, or returns `nil` if this node must first receive the other nodes' reports.
    private func judge(_ reading: KeyReading, _ question: PendingVerification.Question, _ home: KeyHome) -> Decision? {
        let key = reading.key
        let code = decide(key.state, question.request, at: reading.now)
        guard needsLimit(code, key, question) else { return Decision(code: code) }
        if question.use == .asked {
            let limit = home.limits.wouldUse(key.limitID, key.state.rateLimits)
            return Decision(code: limit?.isAllowed == false ? .rateLimited : code, limit: limit)
        }
        switch home.limits.use(key.limitID, key.state.rateLimits) {
        case .undecided: return nil
        case .decided(let limit, _): return Decision(code: limit.isAllowed ? code : .rateLimited, limit: limit)
        case nil: return Decision(code: code)
        }
    }

    private func decideAndCount(
        _ reading: KeyReading,
        _ question: PendingVerification.Question,
        _ place: Place
    ) async -> Verdict {
        if let decision = judge(reading, question, place.home) {
            return conclude(decision, reading, question, place.workspace, place.home.counts)
        }
        let key = reading.key
        let limit = await place.home.limits.useAfterExchange(key.limitID, key.state.rateLimits)
        let decision = Decision(code: limit?.isAllowed == false ? .rateLimited : .valid, limit: limit)
        return conclude(decision, reading, question, place.workspace, place.home.counts)
    }

    private func conclude(
        _ decision: Decision,
        _ reading: KeyReading,
        _ question: PendingVerification.Question,
        _ workspace: WorkspaceFacts,
        _ counts: UsageRecorder.Database
    ) -> Verdict {
        let (code, key) = (decision.code, reading.key)
        guard code != .notFound else { return .withoutKey(.notFound) }
        if question.use == .counted {
            usage.record(counts, key.state, code, at: reading.now, from: question.request.address)
        }
        let verified = VerifiedKey(
            found: key,
            checkedAt: reading.now,
            workspaceID: workspace.workspaceID,
            organizationID: workspace.organizationID
        )
        return Verdict(code: code, key: verified, rateLimit: decision.limit)
    }
}
