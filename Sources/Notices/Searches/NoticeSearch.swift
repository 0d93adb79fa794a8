import FoundationEssentials
import KeyStore
import Keys
import Logging
import Postgres
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

    /// The longest time between two searches of a database.
    private static let longestPause = Duration.seconds(3600)
    /// The time until unused keys are looked for again if that was not possible.
    private static let pauseAfterFault = Duration.seconds(600)
    /// The time in which new workspaces and organizations are added.
    private static let pauseOfAdditions = Duration.seconds(60)
    /// The maximum time to note requests when the server stops.
    private static let lastNote = Duration.seconds(2)
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
        let slots = SearchSlots()
        await withDiscardingTaskGroup { group in
            var lastAddition: ContinuousClock.Instant?
            while !Task.isCancelled {
                let now = ContinuousClock.now
                let isAdding = lastAddition.map { now - $0 >= Self.pauseOfAdditions } ?? true
                if isAdding { lastAddition = now }
                let rest = slots.rest
                let (places, count) = await claim(upTo: rest, except: slots.full, isAdding: isAdding)
                for part in Self.parts(of: places) {
                    slots.begin(part[0].clusterID)
                    group.addTask {
                        for place in part where !Task.isCancelled { await search(place) }
                        slots.end(part[0].clusterID)
                    }
                }
                try? await Task.sleep(for: count > 0 || rest == 0 ? .milliseconds(100) : .seconds(1))
            }
            group.cancelAll()
        }
    }

    /// Returns groups of searches that are made one after the other: all organizations are one group, and each workspace is one.
    private static func parts(of places: [NoticeTimes.Place]) -> [[NoticeTimes.Place]] {
        let organizations = places.filter { !$0.isWorkspace }
        return places.filter(\.isWorkspace).map { [$0] } + (organizations.isEmpty ? [] : [organizations])
    }

    private func claim(
        upTo limit: Int,
        except clusters: [UUID],
        isAdding: Bool
    ) async -> (places: [NoticeTimes.Place], count: Int) {
        do {
            try await noteRequests()
            return try await withTimes { times in
                if isAdding { try await times.addMissing() }
                return limit > 0 ? try await times.claim(upTo: limit, except: clusters) : ([], 0)
            }
        } catch {
            if !Task.isCancelled {
                logger.debug("the searches for notices could not be claimed", metadata: ["error": "\(error)"])
            }
            return ([], 0)
        }
    }

    /// Makes searches due in the databases in which something happened on this node.
    private func noteRequests() async throws {
        let batch = requests.take()
        if batch.isEmpty { return }
        do {
            try await withTimes { try await $0.request(batch) }
        } catch {
            requests.add(batch)
            throw error
        }
    }

    /// Makes searches due, once the last counts of uses are written.
    func noteLastRequests() async {
        // The task of a stop is cancelled.
        await Task {
            do {
                try await PostgresDeadline.with(Self.lastNote) { try await noteRequests() }
            } catch {
                logger.debug("searches for notices could not be requested", metadata: ["error": "\(error)"])
            }
        }
        .value
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
            let (places, count) = try await withTimes { try await $0.claim(upTo: SearchSlots.total, except: []) }
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
    /// A database that cannot be searched stops no other, and its claim ends by its time.
    private func search(_ place: NoticeTimes.Place) async {
        do {
            let pauses = try await PostgresDeadline.with(NoticeTimes.deadline) { try await searchNow(place) }
            try await withTimes { times in
                try await times.end(place, next: pauses.next, nextComplete: pauses.nextComplete)
            }
        } catch {
            if Task.isCancelled { return }
            log(error, place)
        }
    }

    private func log(_ error: any Error, _ place: NoticeTimes.Place) {
        logger.debug(
            "a database could not be searched for notices",
            metadata: ["id": .string(UUIDv7.text(of: place.id)), "error": "\(error)"]
        )
    }

    /// The times until the next searches of a database.
    private struct Pauses {
        let next: Duration
        /// `nil` if the search was not complete.
        let nextComplete: Duration?
    }

    private func searchNow(_ place: NoticeTimes.Place) async throws -> Pauses {
        guard place.isWorkspace else {
            return try await databases.control.pool.withConnection { try await search(place, nil, over: $0) }
        }
        // The workspace was deleted a moment ago. The next claim removes its row.
        guard let facts = try await databases.facts(id: place.id) else {
            return Pauses(next: Self.longestPause, nextComplete: nil)
        }
        return try await databases.withConnection(facts) { try await search(place, facts, over: $0) }
    }

    private func search(
        _ place: NoticeTimes.Place,
        _ facts: WorkspaceFacts?,
        over connection: PostgresConnection
    ) async throws -> Pauses {
        let scope = NoticeWriter.Scope(
            workspaceID: facts?.workspaceID,
            organizationID: facts == nil ? place.organizationID : nil,
            settings: place.settings
        )
        let next = try await pauseAfterWriting(.timely, scope, facts, over: connection)
        guard place.isComplete else { return Pauses(next: next, nextComplete: nil) }
        do {
            let nextComplete = try await pauseAfterWriting(.unused, scope, facts, over: connection)
            if facts != nil { _ = try await NoticeWriter.removeOrphans(on: connection) }
            return Pauses(next: next, nextComplete: nextComplete)
        } catch {
            try Task.checkCancellation()
            // Unused keys are looked for among all keys, which can take too long. The other notices must not wait for that.
            log(error, place)
            return Pauses(next: next, nextComplete: Self.pauseAfterFault)
        }
    }

    /// Writes the notices of a group in one database, in transactions of limited size.
    ///
    /// - Returns: The time until the next notice of the group becomes due without a change, from a minute to an hour.
    private func pauseAfterWriting(
        _ group: NoticeWriter.Group,
        _ scope: NoticeWriter.Scope,
        _ facts: WorkspaceFacts?,
        over connection: PostgresConnection
    ) async throws -> Duration {
        // First: what becomes due during the search is not missed.
        let upcoming = try await NoticeWriter.upcoming(
            group,
            scope,
            shift: options.shift(),
            within: Self.longestPause,
            on: connection
        )
        var count = 0
        repeat {
            count = try await connection.auditedTransaction { transaction in
                let writer = NoticeWriter(transaction)
                let notices = try await writer.take(group, scope, shift: options.shift())
                if notices.isEmpty { return 0 }
                // The mark is older than the commit, so another node finds the events if this one dies.
                try await announcer.announcing(facts) {
                    try await writer.record(notices, in: scope) { identifiers.id() }
                }
                return notices.count
            }
            if count > 0 { announcer.hint(facts) }
        } while count >= NoticeWriter.batch
        return max(NoticeTimes.pause, upcoming ?? Self.longestPause)
    }
}
