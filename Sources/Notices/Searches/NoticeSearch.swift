import FoundationEssentials
import KeyStore
import Keys
import Logging
import Postgres
import Synchronization
import Tenancy

/// Searches the databases for keys that need a notice, on this node.
///
/// A search tells when the next notice can become due without a change, so a quiet database is searched once an hour and at that
/// time. A database in which keys change, reach limits or are used with replaced secrets is searched within a minute.
struct NoticeSearch: Sendable {
    let databases: Databases
    let announcer: EventAnnouncer
    let requests: SearchRequests
    let options: NoticeOptions
    let logger: Logger

    /// The maximum number of databases that are searched at once.
    private static let concurrency = 4
    /// The longest time between two searches of a database, in which changes are found that a node that died has not told of.
    private static let longestPause = Duration.seconds(3600)
    /// The time until the next search of a database that could not be searched.
    private static let pauseAfterFault = Duration.seconds(600)
    /// The time in which new workspaces and organizations are added.
    private static let pauseOfAdditions = Duration.seconds(60)
    private let identifiers = IdentifierSource.system

    init(
        databases: Databases,
        announcer: EventAnnouncer,
        requests: SearchRequests,
        options: NoticeOptions,
        logger: Logger
    ) {
        self.databases = databases
        self.announcer = announcer
        self.requests = requests
        self.options = options
        self.logger = logger
    }

    // MARK: Rounds

    /// Searches when searches are due, until the task is cancelled.
    func run() async {
        let underWay = Slots()
        await withDiscardingTaskGroup { group in
            var lastAddition: ContinuousClock.Instant?
            while !Task.isCancelled {
                let now = ContinuousClock.now
                let isAdding = lastAddition.map { now - $0 >= Self.pauseOfAdditions } ?? true
                if isAdding { lastAddition = now }
                let rest = Self.concurrency - underWay.count
                let (places, count) = await claim(upTo: rest, isAdding: isAdding)
                for place in places {
                    underWay.add(1)
                    group.addTask {
                        await search(place)
                        underWay.add(-1)
                    }
                }
                try? await Task.sleep(for: count > 0 || rest == 0 ? .milliseconds(100) : .seconds(1))
            }
            group.cancelAll()
        }
    }

    private func claim(upTo limit: Int, isAdding: Bool) async -> (places: [NoticeTimes.Place], count: Int) {
        let batch = requests.take()
        do {
            return try await databases.control.pool.withConnection { connection in
                let times = NoticeTimes(connection: connection)
                if isAdding { try await times.addMissing() }
                try await times.request(batch)
                // The search of each hour finds what an error here lets get lost.
                return limit > 0 ? try await times.claim(upTo: limit) : ([], 0)
            }
        } catch {
            if !Task.isCancelled {
                logger.debug("the searches for notices could not be claimed", metadata: ["error": "\(error)"])
            }
            return ([], 0)
        }
    }

    /// Searches every database once for all notices.
    ///
    /// - Throws: The control database's errors, `CancellationError`.
    func searchAll() async throws {
        try await withTimes { times in
            try await times.addMissing()
            try await times.requestAll()
        }
        while true {
            let (places, count) = try await withTimes { try await $0.claim(upTo: Self.concurrency) }
            if count == 0 { return }
            for place in places {
                try Task.checkCancellation()
                await search(place)
            }
        }
    }

    private func withTimes<Value>(_ body: (NoticeTimes) async throws -> Value) async throws -> Value {
        try await databases.control.pool.withConnection { try await body(NoticeTimes(connection: $0)) }
    }

    // MARK: One database

    /// Searches one database.
    ///
    /// A database that cannot be searched stops no other.
    private func search(_ place: NoticeTimes.Place) async {
        var pauses: Pauses
        do {
            pauses = try await PostgresDeadline.with(NoticeTimes.deadline) { try await searchNow(place) }
        } catch {
            if Task.isCancelled { return }
            pauses = Pauses(next: Self.pauseAfterFault, nextComplete: nil)
            logger.debug(
                "a database could not be searched for notices",
                metadata: ["id": .string(UUIDv7.text(of: place.id)), "error": "\(error)"]
            )
        }
        do {
            try await withTimes { [pauses] times in
                try await times.end(place, next: pauses.next, nextComplete: pauses.nextComplete)
            }
        } catch {
            logger.debug("the end of a search for notices could not be noted", metadata: ["error": "\(error)"])
        }
    }

    private struct Pauses {
        let next: Duration
        /// `nil` if the search was not complete.
        let nextComplete: Duration?
    }

    private func searchNow(_ place: NoticeTimes.Place) async throws -> Pauses {
        guard place.isWorkspace else {
            let scope = NoticeWriter.Scope(
                workspaceID: nil,
                organizationID: place.organizationID,
                settings: place.settings
            )
            return try await databases.control.pool.withConnection {
                try await search(scope, nil, isComplete: place.isComplete, over: $0)
            }
        }
        // A workspace that was deleted a moment ago has no row soon.
        guard let facts = try await databases.facts(id: place.id) else {
            return Pauses(next: Self.longestPause, nextComplete: nil)
        }
        let scope = NoticeWriter.Scope(workspaceID: place.id, organizationID: nil, settings: place.settings)
        return try await databases.withConnection(facts) {
            let pauses = try await search(scope, facts, isComplete: place.isComplete, over: $0)
            if place.isComplete { _ = try await NoticeWriter.removeOrphans(on: $0) }
            return pauses
        }
    }

    /// Writes the notices of one database, in transactions of limited size.
    private func search(
        _ scope: NoticeWriter.Scope,
        _ facts: WorkspaceFacts?,
        isComplete: Bool,
        over connection: PostgresConnection
    ) async throws -> Pauses {
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
        let upcoming = try await NoticeWriter.upcoming(
            scope,
            isComplete: isComplete,
            shift: options.shift(),
            within: Self.longestPause,
            on: connection
        )
        let nextComplete = isComplete ? upcoming.unused ?? Self.longestPause : nil
        return Pauses(
            next: max(.zero, min(upcoming.other ?? Self.longestPause, nextComplete ?? Self.longestPause)),
            nextComplete: nextComplete
        )
    }
}

/// The number of searches under way.
private final class Slots: Sendable {
    private let number = Atomic<Int>(0)

    var count: Int { number.load(ordering: .relaxed) }

    func add(_ difference: Int) { number.add(difference, ordering: .relaxed) }
}
