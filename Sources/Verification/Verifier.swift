import KeyStore
public import Keys
import Postgres
public import Tenancy

/// Turns tokens into verdicts.
///
/// The order is the design's: form and checksum without a read; audience before any read of a workspace; one indexed read in the
/// workspace's database, shared with every other read of the same flush; the decision, by the database's time; then limits, then counting.
public struct Verifier: Sendable {
    private let databases: Databases
    private let peppers: PepperRing
    private let usage: UsageRecorder
    private let limiter: UseLimiter
    private let deadline: Duration

    /// A verifier.
    ///
    /// - Parameters:
    ///   - databases: where workspaces are found and read.
    ///   - peppers: what tokens are digested with.
    ///   - usage: who counts.
    ///   - deadline: how long the read in a workspace's database may take; 2 s by default.
    ///   - nanoseconds: a clock for limits that never goes back; the system's by default.
    public init(
        databases: Databases,
        peppers: PepperRing,
        usage: UsageRecorder,
        deadline: Duration = .seconds(2),
        nanoseconds: (@Sendable () -> Int64)? = nil
    ) {
        self.databases = databases
        self.peppers = peppers
        self.usage = usage
        limiter = UseLimiter(nanoseconds: nanoseconds)
        self.deadline = deadline
    }

    /// Verifies a token.
    ///
    /// - Parameters:
    ///   - text: what was presented.
    ///   - request: what is asked of it.
    ///   - audience: whose keys count.
    ///   - isCounted: whether this is a use, as limits and statistics count them; it is by default.
    /// - Returns: the verdict; a refused key is one too.
    /// - Throws: `WorkspaceUnreachable` when the workspace's database cannot be asked, the control database's errors when a workspace
    ///   that this node has not seen cannot be looked up, and `cancelled`.
    public func verify(
        _ text: String,
        _ request: VerificationRequest,
        audience: Audience,
        isCounted: Bool = true
    ) async throws -> Verdict {
        let token: Token
        do throws(TokenFault) {
            token = try Token(text)
        } catch {
            return .unknown(.malformed)
        }
        // A reference of somebody else and one that nobody has cost the same: this node remembers only what it finds for the caller.
        let facts = try await databases.facts(
            ref: token.parsed.workspaceRef,
            organization: audience.organizationID
        )
        guard let facts, audience.includes(workspace: facts.workspaceID) else { return .unknown(.notFound) }
        guard let found = try await find(token, facts) else { return .unknown(.notFound) }
        return judge(found, request, facts, isCounted: isCounted)
    }

    private func find(_ token: Token, _ facts: WorkspaceFacts) async throws -> FoundKey? {
        let digests = peppers.digests(of: token)
        do {
            return try await databases.withLookups(facts) { pipeline in
                try await KeyLookup.find(digests, ref: facts.ref, in: pipeline, deadline: deadline)
            }
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

    private func judge(
        _ found: FoundKey,
        _ request: VerificationRequest,
        _ facts: WorkspaceFacts,
        isCounted: Bool
    ) -> Verdict {
        var code = decide(found.state, request, at: found.readAt)
        var limit: RateLimitVerdict?
        if isCounted, code == .valid, !found.state.rateLimits.isUnlimited {
            limit = limiter.use(found.state.keyID, found.state.rateLimits)
            if limit?.isAllowed == false { code = .rateLimited }
        }
        guard code != .notFound else { return .unknown(.notFound) }
        if isCounted { usage.record(facts, found.state, code, at: found.readAt) }
        let key = VerifiedKey(
            found: found,
            workspaceID: facts.workspaceID,
            organizationID: facts.organizationID
        )
        return Verdict(code: code, key: key, rateLimit: limit)
    }
}
