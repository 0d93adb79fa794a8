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

extension ServiceContext {
    /// Reads organizations' and workspaces' rows.
    func readControl<T>(_ body: (ControlStore) async throws -> T) async throws -> T {
        try await withReader { try await body(ControlStore($0)) }
    }

    /// Lends a connection to the control database for reads of management calls.
    func withReader<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await databases.noting(nil) { try await databases.control.readers.withConnection(body) }
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
        guard let workspace else {
            return try await databases.noting(nil) {
                switch lane {
                case .changes, .overviews: try await databases.control.pool.withConnection(body)
                case .stops: try await databases.withStop(nil, body)
                }
            }
        }
        do {
            return try await databases.noting(workspace) {
                switch lane {
                case .changes: try await databases.withConnection(workspace, body)
                case .stops: try await databases.withStop(workspace, body)
                case .overviews: try await databases.withOverview(workspace, body)
                }
            }
        } catch let error as PostgresError
            // 57014: the server's own limit, which is as long as this side's, passed first.
            where error.isUnreachable || error.isOfOutdatedSchema || error.sqlState == .queryCanceled
        {
            throw Refusal.workspaceUnavailable
        } catch let error as TenancyError where error.code == .unknownWorkspace {
            throw Refusal.notFound
        } catch let error as TenancyError where error.code == .capacityExceeded {
            throw Refusal.workspaceUnavailable
        }
    }

    /// Runs an audited transaction in the control database.
    func changeControl<T>(_ body: (AuditedTransaction) async throws -> T) async throws -> T {
        try await translating {
            try await news.announcing(nil) {
                try await databases.noting(nil, isChange: true) {
                    try await databases.control.pool.withConnection { try await $0.auditedTransaction(body) }
                }
            }
        }
    }

    /// Changes a workspace as the owner of its database, and logs a fault of the PostgreSQL server.
    func provision<T>(_ body: (Provisioner) async throws -> T) async throws -> T {
        do {
            return try await body(provisioner)
        } catch {
            databases.reportOfServer(error)
            throw error
        }
    }

    /// Returns the admin or operator key of a token, or `nil` if there is none.
    ///
    /// - Throws: `Refusal.unavailable` if the control database cannot be asked, and the errors of a look-up.
    func rootKey(_ token: Token) async throws -> KeyReading? {
        let keys = verifier.keys
        do {
            let home = try await keys.root()
            let digests = home.peppers.digests(of: token)
            if let reading = keys.cached(digests[0], in: home) { return reading }
            return try await databases.noting(nil) { try await keys.read(digests, in: home) }
        } catch let error as PostgresError where error.isUnreachable {
            throw Refusal.unavailable
        }
    }

    /// Makes a change of keys under fences.
    ///
    /// - Parameters:
    ///   - keys: The keys that the change is about, at least one. `nil` stands for all keys of the workspace.
    ///   - workspace: The workspace of the keys. `nil` is the control database.
    ///   - change: Commits the change. It runs at most once.
    /// - Returns: The value of the change.
    /// - Throws: `Refusal.outcomeUnknown` if the change may have been made without the promise, and what `change` throws.
    func fenced<T>(
        _ keys: [UUID]?,
        in workspace: WorkspaceFacts?,
        _ change: () async throws -> T
    ) async throws -> T {
        do {
            return try await databases.fenced(keys, in: workspace, change)
        } catch is FenceError {
            throw Refusal.outcomeUnknown
        }
    }

    /// Reads over the pipeline that all look-ups in the control database share.
    ///
    /// - Throws: `Refusal.unavailable` if the control database cannot be reached, and what `body` throws.
    func lookUp<T: Sendable>(_ body: (PostgresPipeline) async throws(PostgresError) -> T) async throws -> T {
        do throws(PostgresError) {
            let value = try await body(databases.control.lookups)
            databases.noteUse(of: nil)
            return value
        } catch {
            databases.report(error, of: nil)
            guard error.isUnreachable else { throw error }
            throw Refusal.unavailable
        }
    }

    /// Runs a change of keys as ``translating(_:)`` does, and lets webhooks know of its events.
    func announcing<T>(_ workspace: WorkspaceFacts?, _ body: () async throws -> T) async throws -> T {
        let value = try await news.announcing(workspace) { try await translating(body) }
        databases.noteUse(of: workspace, isChange: true)
        return value
    }

    /// Runs a transaction, and translates what the database refuses by a rule into the refusal that names the rule.
    func translating<T>(_ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as PeopleError {
            switch error {
            case .memberExists:
                throw Refusal.memberExists("The user has a role there already; change the role instead.")
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
    /// A Boolean value that indicates whether the server was at fault, and not the statement.
    var isUnreachable: Bool {
        switch code {
        case .connectFailed, .connectionLost, .deadlineExceeded, .poolTimedOut, .queueFull: true
        // The server is stopping or starting, or has no room for another connection.
        case .server:
            [.adminShutdown, .crashShutdown, .cannotConnectNow, .tooManyConnections].contains(sqlState)
        default: false
        }
    }
}

extension SQLState {
    /// 57P02: another session crashed, and the server ends all sessions.
    static let crashShutdown = SQLState(rawValue: "57P02")
}
