import FoundationEssentials
import KeyStore
import Keys
import Logging
import Notices
import Postgres
import Tenancy

/// The use cases of leaked tokens.
///
/// A genuine token leaves the event `leaked` in the history of its key. What else happens to the key is the organization's choice
/// (``LeakAction``).
package struct LeakService: Sendable {
    let context: ServiceContext
    let changes: KeyChanges
    let gitHubKeys: GitHubKeyList
    let options: LeakOptions

    /// Handles a report from anybody.
    ///
    /// Neither the result nor its time tells the sender which of the texts are tokens. A token that could not be handled is an error in the log.
    ///
    /// - Parameters:
    ///   - texts: The texts.
    ///   - origin: The origin of the request.
    /// - Throws: `Refusal.tooManyAttempts` after 60 reports of an address in an hour, over all nodes; `CancellationError`, and the control
    ///   database's errors.
    package func report(_ texts: [String], from origin: RequestOrigin) async throws {
        let clock = ContinuousClock()
        let arrival = clock.now
        let wait = try await context.withConnection(to: nil) {
            try await LeakReports($0).admit(origin.address)
        }
        if let wait { throw Refusal.tooManyAttempts(retryAfter: wait) }
        _ = try await handle(texts.map { LeakedText(text: $0, url: nil) }, from: .report, origin)
        try await clock.sleep(until: arrival + options.answerTime(after: clock.now - arrival))
    }

    /// Handles a report of GitHub's secret scanning.
    ///
    /// - Parameters:
    ///   - body: The raw body.
    ///   - signature: The signature of the body.
    ///   - key: The identifier of the key that signed it.
    ///   - origin: The origin of the request.
    ///   - read: Returns the texts of the body, after the signature was checked.
    /// - Returns: For each text, true if it is a genuine token.
    /// - Throws: `Refusal.unauthenticated` for a bad signature, `Refusal.unavailable` if GitHub's keys or a workspace cannot be read, so that
    ///   GitHub sends the report again; `CancellationError`.
    package func reportOfGitHub(
        _ body: [UInt8],
        signature: String,
        by key: String,
        from origin: RequestOrigin,
        _ read: () -> [LeakedText]
    ) async throws -> [Bool] {
        guard let keys = try await gitHubKeys.keys(for: key), keys.verifies(body, signature: signature, by: key) else {
            throw Refusal.unauthenticated
        }
        let findings = try await handle(read(), from: .github, origin)
        guard !findings.contains(.failed) else { throw Refusal.unavailable }
        return findings.map { $0 == .genuine }
    }

    /// The outcome for one text.
    private enum Finding {
        /// The text is no token of this installation.
        case unknown
        /// The text is a token, and its key has been dealt with.
        case genuine
        /// The text may be a token, and nothing could be done.
        case failed
    }

    private func handle(
        _ leaks: [LeakedText],
        from source: LeakSource,
        _ origin: RequestOrigin
    ) async throws -> [Finding] {
        var known: [String: Finding] = [:]
        var findings: [Finding] = []
        for leak in leaks {
            try Task.checkCancellation()
            let finding: Finding
            if let earlier = known[leak.text] {
                finding = earlier
            } else {
                finding = await handle(leak, from: source, origin)
                known[leak.text] = finding
            }
            findings.append(finding)
        }
        return findings
    }

    private func handle(_ leak: LeakedText, from source: LeakSource, _ origin: RequestOrigin) async -> Finding {
        guard let token = try? Token(leak.text) else { return .unknown }
        do {
            guard let key = try await find(token) else { return .unknown }
            try await react(to: Leak(token: token, url: leak.url, source: source), of: key, origin)
            return .genuine
        } catch Refusal.notFound {
            // The key has been deleted meanwhile.
            return .unknown
        } catch {
            context.logger.error("a leaked token could not be handled", metadata: ["error": "\(error)"])
            return .failed
        }
    }

    // MARK: The key

    /// Returns the key of a token, whatever its state, or `nil` if no key of the installation has the token.
    private func find(_ token: Token) async throws -> LeakedKey? {
        let ref = token.parsed.workspaceRef
        return try await ref.isRoot ? findInRoot(token) : findInWorkspace(token, ref)
    }

    private func findInRoot(_ token: Token) async throws -> LeakedKey? {
        let digests = context.rootPeppers.digests(of: token)
        let answer = try await context.lookUp { lookups throws(PostgresError) in
            try await KeyLookup.find(digests, ref: .root, in: lookups)
        }
        guard let key = answer.found else { return nil }
        let owner = key.organizationID.map { KeyCollection.Owner.organization($0) } ?? .platform
        return LeakedKey(key: key, keys: KeyCollection(owner: owner), action: .revoke)
    }

    private func findInWorkspace(_ token: Token, _ ref: WorkspaceRef) async throws -> LeakedKey? {
        guard let facts = try await context.databases.facts(ref: ref) else { return nil }
        let digests = context.secrets.peppers.digests(of: token)
        let found: FoundKey?
        do {
            found = try await context.databases.withLookups(facts) { lookups in
                try await KeyLookup.find(digests, ref: ref, in: lookups).found
            }
        } catch let error as TenancyError where error.code == .unknownWorkspace {
            return nil
        }
        guard let key = found,
            let workspace = try await context.readControl({ try await $0.workspace(facts.workspaceID) }),
            let organization = try await context.readControl({ try await $0.organization(facts.organizationID) })
        else { return nil }
        let owner: KeyCollection.Owner =
            key.state.kind == .client
            ? .clients(workspace, subject: nil, tokenPrefix: nil) : .workspace(workspace, tokenPrefix: nil)
        return LeakedKey(
            key: key,
            keys: KeyCollection(owner: owner),
            action: organization.leakAction ?? Self.standardAction(for: key.state)
        )
    }

    /// Returns the reaction of an organization that has chosen none.
    ///
    /// Publishable keys stand in the pages and the programs of applications, where anybody can read them.
    private static func standardAction(for key: KeyState) -> LeakAction {
        key.mode == .test || key.kind == .anon ? .notify : .revoke
    }
}
