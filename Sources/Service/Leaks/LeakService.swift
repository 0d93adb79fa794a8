import FoundationEssentials
import KeyStore
import Keys
import Logging
import Notices
import Postgres
import Tenancy

/// The use cases of leaked tokens.
///
/// A genuine token leaves the event `leaked` in the history of its key. The organization chooses the effect on the key
/// (``LeakAction``).
package struct LeakService: Sendable {
    let context: ServiceDependencies
    let changes: KeyChanges
    let gitHubKeys: GitHubKeyList
    let guesses: GuessLimiter
    let options: LeakOptions

    /// The time after which the rest of a report is kept to be handled later.
    private static let patience = Duration.seconds(60)
    /// The maximum number of Unicode scalars of the place of a token that are known.
    private static let mostScalarsOfURL = 2048
    /// The number of texts after which other requests of the thread have their turn.
    private static let slice = 256

    /// Handles a report from anybody.
    ///
    /// Neither the result nor its time tells the sender which of the texts are tokens. A text that could not be handled before the
    /// answer is kept, and nodes try again (``LeakRetries``).
    ///
    /// - Parameters:
    ///   - texts: The texts.
    ///   - origin: The origin of the request.
    /// - Throws: `Refusal.tooManyAttempts` after 60 reports of an address in an hour, over all nodes; `Refusal.unavailable` if the
    ///   report could not be kept, whatever its texts are; `CancellationError`, and the control database's errors.
    package func report(_ texts: [String], from origin: RequestOrigin) async throws {
        let clock = ContinuousClock()
        let arrival = clock.now
        let wait = try await context.withConnection(to: nil) {
            try await LeakReports($0).admit(origin.address)
        }
        if let wait {
            throw Refusal.tooManyAttempts(
                retryAfter: wait,
                AttemptLimit(limit: LeakReports.limit, period: .seconds(3600))
            )
        }
        _ = try await handle(texts.map { LeakedText(text: $0, url: nil) }, from: .report, origin)
        try await clock.sleep(until: arrival + options.answerTime(after: clock.now - arrival))
    }

    /// Checks the signature of a report of GitHub's secret scanning, before anything reads its body.
    ///
    /// A failure counts like a wrong password from the same address: anybody can send a body that must be hashed. Each report is an
    /// account of its own, so only the limit of the address applies.
    ///
    /// - Parameters:
    ///   - body: The raw body.
    ///   - signature: The signature of the body, if the request has one.
    ///   - key: The identifier of the key that signed it, if the request has one.
    ///   - origin: The origin of the request.
    /// - Throws: `Refusal.unauthenticated` for a bad signature; `Refusal.tooManyAttempts` after too many of an address;
    ///   `Refusal.unavailable` if GitHub's keys cannot be read, so that GitHub sends the report again.
    package func checkGitHub(
        _ body: [UInt8],
        signature: String?,
        by key: String?,
        from origin: RequestOrigin
    ) async throws {
        let account = "github \(IdentifierSource.system.id())"
        let isSigned = try await guesses.counting(account: account, from: origin.address) { () async throws -> Bool? in
            guard let key, let signature, let keys = try await gitHubKeys.keys(for: key),
                keys.verifies(body, signature: signature, by: key)
            else { return nil }
            return true
        }
        if isSigned == nil { throw Refusal.unauthenticated }
    }

    /// Handles a report of GitHub's secret scanning.
    ///
    /// - Parameters:
    ///   - texts: The texts of a report whose signature was checked.
    ///   - origin: The origin of the request.
    /// - Returns: For each text, true if it is a genuine token.
    /// - Throws: `Refusal.unavailable` if a workspace cannot be read, or the report could not be kept, so that GitHub sends it again;
    ///   `CancellationError`.
    package func reportOfGitHub(_ texts: [LeakedText], from origin: RequestOrigin) async throws -> [Bool] {
        let findings = try await handle(texts, from: .github, origin)
        // The report takes effect in any case. Its repetition is for the labels.
        guard !findings.contains(.unread) else { throw Refusal.unavailable }
        return findings.map { $0 == .genuine }
    }

    /// The answer for one text.
    private enum Finding {
        /// The text is no token of this installation.
        case unknown
        /// The text is a token.
        case genuine
        /// The text may be a token, and could not be looked up.
        case unread
    }

    private func handle(
        _ texts: [LeakedText],
        from source: LeakSource,
        _ origin: RequestOrigin
    ) async throws -> [Finding] {
        let end = ContinuousClock.now + Self.patience
        var findings: [String: Finding] = [:]
        var kept: [Leak] = []
        var reason: (any Error)?
        // The databases that are unreachable. The rest of their tokens would wait for them one by one.
        var away: Set<WorkspaceRef> = []
        for (position, text) in texts.enumerated() where findings[text.text] == nil {
            if position.isMultiple(of: Self.slice) { await Task.yield() }
            try Task.checkCancellation()
            guard let token = try? Token(text.text) else {
                findings[text.text] = .unknown
                continue
            }
            let leak = leak(of: token, at: text.url, from: source, origin)
            guard !away.contains(leak.ref), ContinuousClock.now < end else {
                kept.append(leak)
                findings[text.text] = .unread
                continue
            }
            let outcome = await deal(with: leak)
            switch outcome {
            case .unknown: findings[text.text] = .unknown
            case .done: findings[text.text] = .genuine
            case .failed(let error):
                findings[text.text] = .genuine
                kept.append(leak)
                reason = error
            case .unread(let error):
                findings[text.text] = .unread
                kept.append(leak)
                reason = error
                if outcome.isOfDatabase { away.insert(leak.ref) }
            }
        }
        try await keep(kept, because: reason)
        return texts.map { findings[$0.text] ?? .unknown }
    }

    private func leak(
        of token: Token,
        at url: String?,
        from source: LeakSource,
        _ origin: RequestOrigin
    ) -> Leak {
        let ref = token.parsed.workspaceRef
        let peppers = ref.isRoot ? context.rootPeppers : context.secrets.peppers.peppers(of: ref)
        return Leak(
            ref: ref,
            digests: peppers.digests(of: token).map(\.digest),
            url: url.map(Self.place),
            source: source,
            address: origin.address?.description,
            requestID: origin.requestID
        )
    }

    /// Returns the place of a token as the history keeps it: cut if it is long, without the token, and without U+0000.
    ///
    /// The place can have the token itself, as a part of a URL. PostgreSQL cannot store U+0000, and the reaction must not fail because of
    /// it. Scalars are counted, because a character can have any number of them.
    private static func place(_ url: String) -> String {
        let scalars = url.unicodeScalars.lazy.filter { $0.value != 0 }.prefix(mostScalarsOfURL)
        return Redaction.redact(String(String.UnicodeScalarView(scalars)))
    }

    /// Keeps what could not be done before the answer.
    ///
    /// A report of which everything is done is kept, too, without a token. A control database that takes no changes would otherwise tell a
    /// stranger which texts are tokens.
    ///
    /// - Throws: `Refusal.unavailable`, `CancellationError`.
    private func keep(_ leaks: [Leak], because reason: (any Error)?) async throws {
        let count: Logger.MetadataValue = "\(leaks.count)"
        do {
            let isKept = try await context.withConnection(to: nil) { connection in
                try await PendingLeaks(connection).keep(leaks) { IdentifierSource.system.id() }
            }
            guard isKept else {
                context.logger.error(
                    "leaked tokens could not be handled, and their report was refused: too many reports wait",
                    metadata: ["count": count]
                )
                throw Refusal.unavailable
            }
        } catch let error as PostgresError {
            try Task.checkCancellation()
            if !leaks.isEmpty {
                context.logger.error(
                    "leaked tokens could not be handled, and their report was refused: it could not be kept",
                    metadata: ["count": count, "error": "\(error)"]
                )
            }
            throw Refusal.unavailable
        }
        if leaks.isEmpty { return }
        context.logger.error(
            "leaked tokens could not be handled before the answer, and nodes try again until it is done",
            metadata: ["count": count, "error": "\(reason.map { "\($0)" } ?? "the report took too long")"]
        )
    }

    // MARK: One token

    /// Deals with the key of a leaked token.
    ///
    /// It can be repeated: what was done already is not done again.
    func deal(with leak: Leak) async -> LeakOutcome {
        let key: LeakedKey?
        do {
            key = try await find(leak)
        } catch {
            return .unread(error)
        }
        guard let key else { return .unknown }
        do {
            try await react(to: leak, of: key)
            return .done
        } catch Refusal.notFound {
            // The key has been deleted meanwhile.
            return .unknown
        } catch {
            return .failed(error)
        }
    }

    // MARK: The key

    /// Returns the key of a token, whatever its state, or `nil` if no key of the installation has the token.
    private func find(_ leak: Leak) async throws -> LeakedKey? {
        try await leak.ref.isRoot ? findInRoot(leak.digests) : findInWorkspace(leak.digests, leak.ref)
    }

    private func findInRoot(_ digests: [Digest]) async throws -> LeakedKey? {
        let found = try await context.lookUp { lookups throws(PostgresError) in
            try await KeyLookup.find(digests, ref: .root, in: lookups)
        }
        guard let key = found else { return nil }
        let owner = key.organizationID.map { KeyCollection.Owner.organization($0) } ?? .platform
        return LeakedKey(key: key, keys: KeyCollection(owner: owner), action: .revoke)
    }

    private func findInWorkspace(_ digests: [Digest], _ ref: WorkspaceRef) async throws -> LeakedKey? {
        guard let facts = try await context.databases.facts(ref: ref) else { return nil }
        let found: FoundKey?
        do {
            found = try await context.databases.withLookups(facts) { lookups in
                try await KeyLookup.find(digests, ref: ref, in: lookups)
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
