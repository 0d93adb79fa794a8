import Fence
import FoundationEssentials
import KeyStore
import Keys
import Logging
import Notices
import People
import Postgres
import Tenancy
import Verification

extension ServiceDependencies {
    /// Reads organizations' and workspaces' rows.
    func readControl<T>(_ body: (ControlStore) async throws -> T) async throws -> T {
        try await withReader { try await body(ControlStore($0)) }
    }

    /// Lends a connection to the control database for reads of management calls.
    ///
    /// - Throws: `Refusal.directoryUnavailable` if the control database does not answer, and the errors of `body`.
    func withReader<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await askingDirectory {
            try await databases.noting(nil) { try await databases.control.readers.withConnection(body) }
        }
    }

    /// Reads people's rows.
    func readPeople<T>(_ body: (PeopleStore) async throws -> T) async throws -> T {
        try await withConnection(to: nil) { try await body(PeopleStore($0)) }
    }

    /// The connections that a change uses.
    enum Lane: Sendable {
        /// The connections of all changes and lists.
        case changes
        /// The connections of the changes that stop keys, which wait for nobody for long.
        case stops
        /// The connections of the overviews of a page of workspaces.
        case overviews
    }

    /// Lends a connection to a workspace's database, or to the control database.
    ///
    /// - Parameters:
    ///   - workspace: The workspace; `nil` is the control database.
    ///   - lane: The connections to use.
    ///   - body: Uses the connection.
    /// - Returns: The value that `body` returned.
    /// - Throws: `Refusal.workspaceUnavailable`, `Refusal.notFound` for a workspace that was deleted, and what `body`
    ///   throws.
    func withConnection<T>(
        to workspace: WorkspaceFacts?,
        _ lane: Lane = .changes,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await reaching(workspace) {
            guard let workspace else {
                if lane == .stops { return try await databases.withStop(nil, body) }
                return try await databases.withControl(body)
            }
            switch lane {
            case .changes: return try await databases.withConnection(workspace, body)
            case .stops: return try await databases.withStop(workspace, body)
            case .overviews: return try await databases.withOverview(workspace, body)
            }
        }
    }

    /// Uses a workspace's server, notes its success or logs its failure, and translates a workspace that cannot be reached into a refusal.
    private func reaching<T>(_ workspace: WorkspaceFacts?, _ body: () async throws -> T) async throws -> T {
        guard let workspace else { return try await databases.noting(nil, body) }
        do {
            return try await databases.noting(workspace, body)
        } catch let error as PostgresError
            where error.isUnreachable || error.isOfOutdatedSchema
        {
            throw Refusal.workspaceUnavailable
        } catch let error as TenancyError where error.code == .unknownWorkspace {
            throw Refusal.notFound
        } catch let error as TenancyError where error.code == .capacityExceeded {
            throw Refusal.workspaceUnavailable
        }
    }

    /// The effect of a change of the control database.
    enum ControlEffect {
        /// Somebody can do less afterwards, as far as is known.
        ///
        /// The first such change after a failover waits for the leases of before.
        case takes
        /// Something is created, extended or recorded, and nobody can do less.
        ///
        /// Such a change waits for nothing: the answer to a sign-in or a refresh must not be lost because of a wait.
        case gives
    }

    /// Runs an audited transaction in the control database.
    ///
    /// - Parameters:
    ///   - effect: The effect of the change.
    ///   - body: The change.
    /// - Returns: The value that `body` returned.
    /// - Throws: The errors of `body`, as ``settling(_:)`` says, and the database's errors.
    func changeControl<T>(
        _ effect: ControlEffect = .takes,
        _ body: (AuditedTransaction) async throws -> T
    ) async throws -> T {
        try await settling { try await committing(effect, body) }
    }

    /// Runs a part of a change, and throws a refusal that tells of an earlier change once that change is safe.
    ///
    /// A request that was answered with 503 can have made it without a standby that knows it. A repetition that says "not found" must wait
    /// until one does (decision 0014, rules 30 and 31).
    ///
    /// - Returns: The value that `body` returned.
    /// - Throws: The errors of `body`, and the database's errors.
    func settling<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let refusal as Refusal where refusal.tellsOfEarlierChange {
            try await committing(.takes) { _ in }
            throw refusal
        }
    }

    private func committing<T>(
        _ effect: ControlEffect,
        _ body: (AuditedTransaction) async throws -> T
    ) async throws -> T {
        try await translating {
            let (value, timeline) = try await announcer.announcing(nil) {
                try await databases.noting(nil, isChange: true) {
                    try await databases.withControl { connection in
                        try await connection.auditedTransaction { transaction in
                            let value = try await body(transaction)
                            return (value, effect == .takes ? try await ServerTimeline.read(on: connection) : nil)
                        }
                    }
                }
            }
            guard let timeline else { return value }
            do {
                try await databases.awaitEndOfEarlierLeases(than: timeline)
            } catch {
                logger.warning(
                    "a change was made, and it is not sure that all nodes know of a failover before it",
                    metadata: ["error": "\(error)"]
                )
                throw Refusal.outcomeUnknown
            }
            return value
        }
    }

    /// Changes a workspace as the owner of its database, and logs a fault of the PostgreSQL server.
    func provision<T>(_ body: (Provisioner) async throws -> T) async throws -> T {
        do {
            return try await body(provisioner)
        } catch is FenceError {
            throw Refusal.outcomeUnknown
        } catch let error as PostgresError where error.code == .commitOutcomeUnknown {
            databases.reportOfServer(error)
            throw Refusal.outcomeUnknown
        } catch let error as UnusableDatabase {
            databases.report(error.cause, of: error.workspace)
            throw error.explanation
        } catch {
            databases.reportOfServer(error)
            throw error
        }
    }

    /// Returns the admin or operator key of a token, or `nil` if there is none.
    ///
    /// - Throws: `Refusal.directoryUnavailable` if the control database is unavailable, and the errors of a look-up.
    func rootKey(_ token: Token) async throws -> KeyReading? {
        let keys = verifier.keys
        return try await askingDirectory {
            let home = try await keys.root()
            let digests = home.peppers.digests(of: token)
            if let reading = keys.cached(digests[0], in: home) { return reading }
            return try await databases.noting(nil) { try await keys.read(digests, in: home) }
        }
    }

    /// Asks the control database, and translates a missing answer into a refusal.
    private func askingDirectory<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PostgresError where error.isUnanswered {
            throw Refusal.directoryUnavailable
        }
    }

    /// Returns the operator key that a secret belongs to, or `nil` if there is none.
    ///
    /// - Throws: The errors of ``rootKey(_:)``.
    func operatorKey(ofSecret secret: UUID) async throws -> KeyReading? {
        try await askingDirectory {
            try await databases.noting(nil) { try await verifier.keys.readOperatorKey(ofSecret: secret) }
        }
    }

    /// The home of admin and operator keys, if keys are kept in memory and this node knows it.
    var rootInMemory: KeyHome? { verifier.keys.rootInMemory }

    /// Returns the admin or operator key of a token from memory, or `nil` if it is not there or does not count any more.
    func rootKey(_ token: Token, inMemoryOf home: KeyHome) -> KeyReading? {
        verifier.keys.cached(home.peppers.digests(of: token)[0], in: home)
    }

    /// Makes a change of keys under fences, and lends it a connection when all nodes have acknowledged them.
    ///
    /// The fences come first: a silent node is waited for, and the few connections to the keys would be lent for all that time.
    ///
    /// - Parameters:
    ///   - keys: The keys that the change is about, at least one. `nil` stands for all keys of the workspace.
    ///   - workspace: The workspace of the keys. `nil` is the control database.
    ///   - organization: The organization of the keys. `nil` for keys of operators.
    ///   - lane: The connections to use.
    ///   - mark: The mark for webhooks, which the change waits for.
    ///   - change: Commits the change. It runs at most once.
    /// - Returns: The value of the change.
    /// - Throws: `Refusal.outcomeUnknown` if the change may have been made without the promise, the errors of ``withConnection(to:_:_:)``,
    ///   and the errors of `change`.
    func fenced<T>(
        _ keys: [UUID]?,
        in workspace: WorkspaceFacts?,
        of organization: UUID?,
        _ lane: Lane,
        _ mark: EventMark,
        _ change: (PostgresConnection) async throws -> T
    ) async throws -> T {
        do {
            return try await reaching(workspace) {
                try await databases.fenced(keys, in: workspace, of: organization, lane == .stops ? .stops : .changes) {
                    await mark.end()
                    return try await withConnectionOfChange(to: workspace, lane, change)
                }
            }
        } catch is FenceError {
            throw Refusal.outcomeUnknown
        }
    }

    /// Lends a connection to a change, and throws an unknown outcome of its COMMIT as it was, although errors are translated on the way.
    ///
    /// Fences that do not see it would be lifted while the change can still be committed (decision 0014, rule 26).
    private func withConnectionOfChange<T>(
        to workspace: WorkspaceFacts?,
        _ lane: Lane,
        _ change: (PostgresConnection) async throws -> T
    ) async throws -> T {
        var unknown: PostgresError?
        do {
            return try await withConnection(to: workspace, lane) { connection in
                do {
                    return try await change(connection)
                } catch let error as PostgresError where error.code == .commitOutcomeUnknown {
                    unknown = error
                    throw error
                }
            }
        } catch {
            if let unknown { throw unknown }
            throw error
        }
    }

    /// Reads over the pipeline that all look-ups in the control database share.
    ///
    /// - Throws: `Refusal.directoryUnavailable` if the control database cannot be reached, and the errors of `body`.
    func lookUp<T: Sendable>(_ body: (PostgresPipeline) async throws(PostgresError) -> T) async throws -> T {
        do throws(PostgresError) {
            let value = try await body(databases.control.lookups)
            databases.noteUse(of: nil)
            return value
        } catch {
            databases.report(error, of: nil)
            guard error.isUnanswered else { throw error }
            throw Refusal.directoryUnavailable
        }
    }

    /// Reads who a caller is as ``KeyFinder/readCaller(_:)`` does, so that a server that was replaced vouches for nobody.
    ///
    /// - Throws: `Refusal.directoryUnavailable` if the control database is unavailable, and the errors of `body`.
    func readCaller<Value: Sendable>(
        _ body: @Sendable (PostgresPipeline) async throws -> (value: Value, mark: SessionMark)
    ) async throws -> Value {
        try await askingDirectory { try await databases.noting(nil) { try await verifier.keys.readCaller(body) } }
    }

    /// Runs a change of keys as ``translating(_:)`` does, and lets webhooks know of its events.
    ///
    /// - Parameters:
    ///   - workspace: The workspace of the keys. `nil` is the control database.
    ///   - lane: The connections of the change. A change that stops keys has one deadline for all of its waits.
    ///   - body: The change, which waits for the mark before its transaction begins.
    /// - Returns: The value that `body` returned.
    /// - Throws: The errors of `body`, translated.
    func announcing<T>(
        _ workspace: WorkspaceFacts?,
        _ lane: Lane,
        _ body: (EventMark) async throws -> T
    ) async throws -> T {
        let value = try await limiting(lane) {
            try await announcer.announcing(
                workspace,
                marking: { mark in try await translating { try await body(mark) } }
            )
        }
        databases.noteUse(of: workspace, isChange: true)
        return value
    }

    private func limiting<T>(_ lane: Lane, _ body: () async throws -> T) async throws -> T {
        if lane == .stops { return try await databases.withStopDeadline(body) }
        return try await body()
    }

    /// Runs a transaction, and translates what the database refuses by a rule into the refusal that names the rule.
    func translating<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PeopleError {
            switch error {
            case .memberExists:
                throw Refusal.memberExists("The user has a role there already; change the role instead.")
            case .removalUnfinished:
                throw Refusal.conflict(
                    """
                    The user was removed, and the client keys of the user could not be changed everywhere yet. Add the user when that \
                    is done.
                    """
                )
            case .unknownWorkspace: throw Refusal.notFound
            }
        } catch let error as PostgresError where error.sqlState == .uniqueViolation {
            guard ["service_keys_unique_name", "client_keys_unique_name"].contains(error.constraint) else {
                throw error
            }
            throw Refusal.nameTaken
        } catch let error as PostgresError where error.constraint == "service_keys_organization_id_fkey" {
            // The organization of a new admin key has been deleted meanwhile.
            throw Refusal.notFound
        } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
            throw Refusal.busy
        } catch let error as PostgresError where error.code == .commitOutcomeUnknown {
            throw Refusal.outcomeUnknown
        }
    }
}

extension PostgresError {
    /// True if a read has no answer: the server was at fault, or somebody holds a lock on the table.
    fileprivate var isUnanswered: Bool { isUnreachable || sqlState == .lockNotAvailable }

    /// True if the server was at fault, and not the statement.
    var isUnreachable: Bool {
        switch code {
        case .connectFailed, .connectionLost, .deadlineExceeded, .poolTimedOut, .queueFull: true
        // The server is stopping or starting, or has no room for another connection. 57014: the server's own limit of a statement, which is
        // as long as this side's, passed first.
        case .server:
            [.adminShutdown, .crashShutdown, .cannotConnectNow, .tooManyConnections, .queryCanceled].contains(sqlState)
        default: false
        }
    }
}

extension SQLState {
    /// 57P02: another session crashed, and the server ends all sessions.
    static let crashShutdown = SQLState(rawValue: "57P02")
}
