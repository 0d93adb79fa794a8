import FoundationEssentials
import KeyStore
import Keys
import Logging
import Postgres
import Tenancy

/// Searches the databases for keys that need a notice, on this node.
struct NoticeSearch: Sendable {
    let databases: Databases
    let announcer: EventAnnouncer
    let options: NoticeOptions
    let logger: Logger

    /// The maximum number of databases that are searched at once.
    private static let concurrency = 4
    private let identifiers = IdentifierSource.system

    init(databases: Databases, announcer: EventAnnouncer, options: NoticeOptions, logger: Logger) {
        self.databases = databases
        self.announcer = announcer
        self.options = options
        self.logger = logger
    }

    /// Searches when a search is due, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                let claimed = try await databases.control.pool.withConnection {
                    try await NoticeSearches(connection: $0).claim()
                }
                if let claimed { try await search(isComplete: claimed) }
            } catch {
                if !Task.isCancelled {
                    logger.debug("the search for notices failed", metadata: ["error": "\(error)"])
                }
            }
            try? await Task.sleep(for: .seconds(5))
        }
    }

    /// Searches every database once.
    ///
    /// - Parameter isComplete: True for all organizations and for unused keys, too.
    /// - Throws: The control database's errors, `CancellationError`.
    func search(isComplete: Bool) async throws {
        var last: UUID?
        repeat {
            let places = try await databases.control.pool.withConnection { [last] in
                try await NoticeSearches(connection: $0).places(isComplete: isComplete, after: last)
            }
            last = places.last?.organizationID
            for place in places {
                try Task.checkCancellation()
                await search(place, isComplete: isComplete)
            }
        } while last != nil
    }

    private func search(_ place: NoticeSearches.Place, isComplete: Bool) async {
        await attempt(of: place.organizationID) {
            let scope = NoticeWriter.Scope(
                workspaceID: nil,
                organizationID: place.organizationID,
                settings: place.settings
            )
            try await databases.control.pool.withConnection {
                try await write(scope, nil, isComplete: isComplete, over: $0)
            }
        }
        await withDiscardingTaskGroup { group in
            var rest = place.workspaces[...]
            for _ in 0..<Self.concurrency {
                let part = rest.prefix((place.workspaces.count + Self.concurrency - 1) / Self.concurrency)
                rest = rest.dropFirst(part.count)
                group.addTask {
                    for id in part where !Task.isCancelled {
                        await attempt(of: id) { try await search(workspace: id, place, isComplete: isComplete) }
                    }
                }
            }
        }
    }

    private func search(workspace id: UUID, _ place: NoticeSearches.Place, isComplete: Bool) async throws {
        guard let facts = try await databases.facts(id: id) else { return }
        let scope = NoticeWriter.Scope(workspaceID: id, organizationID: nil, settings: place.settings)
        try await databases.withConnection(facts) {
            try await write(scope, facts, isComplete: isComplete, over: $0)
            if isComplete { _ = try await NoticeWriter.removeOrphans(on: $0) }
        }
    }

    /// Writes the notices of one database, in transactions of limited size.
    private func write(
        _ scope: NoticeWriter.Scope,
        _ facts: WorkspaceFacts?,
        isComplete: Bool,
        over connection: PostgresConnection
    ) async throws {
        var count = 0
        repeat {
            count = try await connection.auditedTransaction { transaction in
                let writer = NoticeWriter(transaction)
                let notices = try await writer.take(scope, isComplete: isComplete, shift: options.shift())
                if notices.isEmpty { return 0 }
                // The mark is older than the commit, so another node finds the events if this one dies.
                try await announcer.announcing(facts) {
                    try await writer.record(notices, in: scope) { identifiers.id() }
                }
                return notices.count
            }
            if count > 0 { announcer.hint(facts) }
        } while count >= NoticeWriter.batch
    }

    /// One database that cannot be searched does not stop the others.
    private func attempt(of id: UUID, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            if !Task.isCancelled {
                logger.debug(
                    "a database could not be searched",
                    metadata: ["id": .string(UUIDv7.text(of: id)), "error": "\(error)"]
                )
            }
        }
    }
}
