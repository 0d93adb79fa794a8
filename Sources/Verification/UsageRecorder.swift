package import FoundationEssentials
public import KeyStore
package import Keys
import Locks
public import Logging
import Postgres
import Synchronization
public import Tenancy

/// Counts verifications in memory and writes the counts in batches, so that no verification writes.
///
/// While a workspace's database is unavailable its counts wait, up to a bound, and writes to it are tried again ever more rarely. Beyond
/// the bound uses are not counted, and a metric shows their number. Clusters do not wait for each other. A node that is killed loses what
/// it counted since its last flush.
public final class UsageRecorder: Sendable {
    /// The intervals and bounds of a recorder.
    public struct Options: Sendable {
        /// The time between two flushes.
        ///
        /// Defaults to 1 s, so that a use is visible on every node within 2 s.
        public var interval: Duration
        /// The time between two flushes to the databases for which a connection of another would be closed.
        ///
        /// Defaults to 10 s.
        public var lateInterval: Duration
        /// The largest number of counts since the last flush, and of secrets whose counts wait for their databases, each over all workspaces.
        ///
        /// A secret has up to four counts.
        ///
        /// Defaults to 200,000.
        public var maximumSecrets: Int
        /// The largest number of sums that wait for their databases: one for each secret and verdict in each minute or hour.
        ///
        /// Defaults to 500,000: more than 10,000 keys with one verdict need in a day, added up to hours.
        public var maximumSums: Int
        /// The number of secrets in one transaction, which the look-ups of the workspace wait for.
        ///
        /// Defaults to 100, which take about two milliseconds.
        public var batch: Int
        /// The number of sums and addresses in one transaction.
        ///
        /// Defaults to 500. After an outage a secret has many sums.
        public var batchRows: Int

        /// Creates options.
        ///
        /// Each parameter has the default of its property.
        public init(
            interval: Duration = .seconds(1),
            lateInterval: Duration = .seconds(10),
            maximumSecrets: Int = 200_000,
            maximumSums: Int = 500_000,
            batch: Int = 100,
            batchRows: Int = 500
        ) {
            self.interval = interval
            self.lateInterval = lateInterval
            self.maximumSecrets = maximumSecrets
            self.maximumSums = maximumSums
            self.batch = batch
            self.batchRows = batchRows
        }
    }

    /// The database that receives the counts of a key, which is the database that holds the key.
    public enum Database: Sendable, Hashable {
        /// The control database, for admin and operator keys.
        case control
        /// The database of a workspace.
        ///
        /// Indirect, because each waiting count has one.
        indirect case workspace(WorkspaceFacts)

        var workspaceID: UUID {
            if case .workspace(let facts) = self { facts.workspaceID } else { Workspace.rootID }
        }

        /// The cluster of a workspace; `nil` for the control database, which has a connection of its own for counts.
        var clusterID: UUID? {
            if case .workspace(let facts) = self { facts.clusterID } else { nil }
        }

        /// Adds the id, which decides about all other facts.
        public func hash(into hasher: inout Hasher) { hasher.combine(workspaceID) }
    }

    /// Writes a batch of counts to a database, completely or not at all.
    ///
    /// Throws if it cannot.
    public typealias Writer = @Sendable (Database, [UsageCount]) async throws -> Void

    /// The databases that a flush writes to.
    enum Part: Sendable {
        case all
        /// Databases that are not late.
        case ready
        /// Databases whose write would close another workspace's connection. They are flushed separately, because that is slow.
        case late
    }

    /// The counts of one secret that wait to be written.
    private struct Pending {
        let database: Database
        var count: UsageCount
    }

    /// A part of the counts with a lock of its own.
    ///
    /// A class, because an array cannot hold a `Locked`.
    private final class Shard: Sendable {
        let counts = Locked<[UUID: Pending]>([:])
    }

    /// The maximum time of the last flush.
    private static let finalFlush = Duration.seconds(5)
    /// The databases of a cluster that a flush writes to at a time, so that it leaves connections for others.
    private static let maximumWrites = 4
    /// The longest time between the beginnings of two writes.
    private static let longestPause = Duration.milliseconds(10)
    private static let shardCount = 64
    /// The number of shards that can share the counts of one secret.
    private static let shardsOfSecret: UInt64 = 4

    private let shards = (0..<shardCount).map { _ in Shard() }
    private let options: Options
    private let write: Writer
    private let pause: @Sendable (Duration) async -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let isLate: @Sendable (Database) -> Bool
    private let isCutOff: @Sendable (Database) -> Bool
    private let logger: Logger
    private let overflow = Atomic<Int>(0)
    private let retries = Locked(UsageRetries())
    private let flights: Locked<UsageFlights>

    /// Creates a recorder.
    ///
    /// - Parameters:
    ///   - options: The intervals and bounds.
    ///   - logger: Receives the faults of flushes.
    ///   - pause: Waits between two writes, until the task is cancelled. Defaults to a wait of real time.
    ///   - now: The current instant. Defaults to the system's clock.
    ///   - isLate: Returns true for a database to which counts can be written only over a connection that takes the place of another.
    ///     Defaults to false for each.
    ///   - isCutOff: Returns true for a database on a cluster that does not answer, whose counts wait. Defaults to false for each.
    ///   - write: Writes a batch of counts.
    public init(
        options: Options = Options(),
        logger: Logger,
        pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        isLate: @escaping @Sendable (Database) -> Bool = { _ in false },
        isCutOff: @escaping @Sendable (Database) -> Bool = { _ in false },
        write: @escaping Writer
    ) {
        self.options = options
        self.logger = logger
        self.pause = pause
        self.now = now
        self.isLate = isLate
        self.isCutOff = isCutOff
        self.write = write
        let backlog = UsageBacklog(maximumSecrets: options.maximumSecrets, maximumSums: options.maximumSums)
        flights = Locked(UsageFlights(backlog))
    }

    /// The number of uses that were not counted because too many counts waited.
    public var overflowCount: Int { overflow.load(ordering: .relaxed) }

    /// Counts one verification, or one use of an admin or operator key, in memory.
    package func record(
        _ database: Database,
        _ state: KeyState,
        _ code: VerdictCode,
        at now: Timestamp,
        from address: IPAddress?
    ) {
        let bound = boundOfShard
        @Sendable func add(_ counts: inout [UUID: Pending]) -> Bool {
            if let index = counts.index(forKey: state.secretID) {
                counts.values[index].count.add(code, at: now, from: address, ofSecretEndingAt: state.secret.endsAt)
                return true
            }
            guard counts.count < bound else { return false }
            var count = UsageCount(secretID: state.secretID, keyID: state.keyID)
            count.add(code, at: now, from: address, ofSecretEndingAt: state.secret.endsAt)
            counts[state.secretID] = Pending(database: database, count: count)
            return true
        }
        // All requests can present the same admin key, whose threads do not even try the same lock. Other secrets have one count in memory,
        // as long as no two threads meet.
        let isCountedAtOnce: Bool? =
            if case .control = database { nil } else {
                shard(of: state.secretID, 0).counts.withLockIfAvailable { add(&$0) }
            }
        let isCounted =
            isCountedAtOnce ?? shard(of: state.secretID, Self.threadIndex).counts.withLock { add(&$0) }
        if !isCounted { overflow.add(1, ordering: .relaxed) }
    }

    /// Flushes at each interval until the task is cancelled, and then once more.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.flush(.ready, again: self.options.interval) }
            group.addTask { await self.flush(.late, again: self.options.lateInterval) }
        }
        // The last flush must happen although this task is cancelled, so it runs in a task of its own.
        // A server that cannot be reached must not keep the process from ending.
        await Task { await PostgresDeadline.with(Self.finalFlush) { await self.flush() } }.value
    }

    /// Flushes to a part of the databases at each interval until the task is cancelled.
    ///
    /// A flush does not wait for the one before it, which a cluster that does not answer can hold up: the others go on, and the counts of
    /// that cluster wait.
    private func flush(_ part: Part, again interval: Duration) async {
        await withDiscardingTaskGroup { group in
            var next = ContinuousClock.now + interval
            while true {
                try? await Task.sleep(until: next, clock: .continuous)
                if Task.isCancelled { return }
                next = max(next + interval, ContinuousClock.now + interval / 2)
                let (flush, flights) = begin(part)
                if flights.isEmpty { forget(before: flush) }
                for flight in flights {
                    group.addTask {
                        await self.carryOut(flight, over: interval / 2)
                        self.forget(before: flush)
                    }
                }
            }
        }
    }

    /// Writes the counts, also to databases that failed or are cut off.
    ///
    /// Counts that cannot be written wait for the next flush.
    public func flush() async { await flush(.all, over: .zero) }

    /// Writes the counts, and begins with one batch after the other within a time.
    ///
    /// Written at once, the counts of 80 workspaces would occupy the processors of a small machine for some hundredths of a second, in
    /// which all verifications wait, and the look-ups of a workspace with thousands of keys would wait for longer than that. A cancellation
    /// lets the counts wait that are not on their way.
    ///
    /// - Parameters:
    ///   - part: The databases.
    ///   - time: The maximum time in which the writes begin. Zero for no pause between two of them.
    func flush(_ part: Part, over time: Duration) async {
        let (flush, flights) = begin(part)
        await withDiscardingTaskGroup { group in
            for flight in flights { group.addTask { await self.carryOut(flight, over: time) } }
        }
        forget(before: flush)
    }

    /// Writes the counts of a flight, to a few databases at a time.
    private func carryOut(_ flight: UsageFlights.Flight, over time: Duration) async {
        defer { flights.withLock { $0.end(flight.number) } }
        let batches = flight.databases.reduce(0) { $0 + $1.batches.count }
        let length = min(time / max(batches, 1), Self.longestPause)
        await withTaskGroup(of: Void.self) { group in
            for (number, (database, batches)) in flight.databases.enumerated() {
                if number >= Self.maximumWrites { _ = await group.next() }
                if number > 0 { await rest(length) }
                // Its connection can have been closed since the beginning, or its cluster was lost.
                guard isWritable(database, flight.part) else {
                    keep(database, batches[...])
                    continue
                }
                group.addTask { await self.flush(database, batches, pausing: length) }
            }
        }
    }

    /// Returns true if a flush of a part of the databases can write to one.
    private func isWritable(_ database: Database, _ part: Part) -> Bool {
        switch part {
        case .all: true
        case .ready: !isCutOff(database) && !isLate(database)
        case .late: !isCutOff(database)
        }
    }

    /// Returns the last accepted use of a secret that this node has counted and may not have written yet.
    package func lastUse(of secret: UUID) -> KeyUse? {
        // A flush moves uses from the shards into flight, so the shards are read first.
        let counted = (0..<Self.shardsOfSecret)
            .compactMap { index in
                shard(of: secret, index).counts.withLock { $0[secret]?.count.lastUse }
            }
        return counted.reduce(flights.withLock { $0.lastUse(of: secret) }, KeyUse.later)
    }

    /// Returns the addresses of the accepted uses of some secrets that this node has counted and may not have written yet.
    ///
    /// If there are very many, these are some of them.
    package func addresses(of secrets: [UUID]) -> Set<IPAddress> {
        var addresses: Set<IPAddress> = []
        for secret in secrets {
            // The shards are read first, as for the last use.
            for index in 0..<Self.shardsOfSecret {
                let counted = shard(of: secret, index).counts.withLock { $0[secret]?.count.addresses }
                if let counted { addresses.formUnion(counted) }
            }
            addresses.formUnion(flights.withLock { $0.addresses(of: secret) })
        }
        return addresses
    }

    /// Begins a flush: removes the counts of the databases that it writes to, and lets the others wait.
    ///
    /// The counts leave the shards at each interval, whatever becomes of the writes, so that a secret has sums of two minutes there at
    /// most.
    ///
    /// - Returns: The number of the flush, and its flights.
    private func begin(_ part: Part) -> (flush: Int, flights: [UsageFlights.Flight]) {
        let now = self.now()
        // The lock is held meanwhile, so that a reader finds a use in one of the two places. Verifications can wait for it, so the batches
        // are made after it.
        let (flush, begun) = flights.withLock {
            state -> (flush: Int, begun: [(number: Int, counts: [Database: [UsageCount]])]) in
            // The counts of late databases wait already. Those of the others must not pass through a backlog that is full because of a late
            // one.
            let fresh = part == .late ? [:] : takeCounts()
            state.beginFlush()
            let busy = state.busy
            var chosen: [UsageFlights.Group: [Database: [UsageCount]]] = [:]
            for database in Set(fresh.keys).union(state.backlog.databases) {
                let group = UsageFlights.Group(cluster: database.clusterID, part: part)
                if part == .all || (!busy.contains(group) && isDue(database, part, at: now)) {
                    chosen[group, default: [:]][database] = state.backlog.take(database, adding: fresh[database] ?? [])
                } else {
                    for count in fresh[database] ?? [] { keep(database, count, in: &state) }
                }
            }
            return (state.flushes, chosen.map { (number: state.begin($0.key, $0.value.values), counts: $0.value) })
        }
        let flights = begun.map { number, counts in
            UsageFlights.Flight(
                number: number,
                part: part,
                databases: counts.map { (database: $0.key, batches: batches(of: $0.value)) }
            )
        }
        return (flush, flights)
    }

    private func forget(before flush: Int) { flights.withLock { $0.forget(before: flush) } }

    /// Returns true if a flush of a part of the databases is to write to one.
    private func isDue(_ database: Database, _ part: Part, at now: ContinuousClock.Instant) -> Bool {
        isLate(database) == (part == .late) && isWritable(database, part)
            && retries.withLock { $0.isDue(database, at: now) }
    }

    /// Divides counts into batches of bounded size, in each of which a secret comes once.
    private func batches(of counts: [UsageCount]) -> [[UsageCount]] {
        var batches: [[UsageCount]] = []
        var batch: [UsageCount] = []
        var rows = 0
        for count in counts {
            for part in count.divided(rows: options.batchRows) {
                let isFull = batch.count >= options.batch || rows + part.rows > options.batchRows
                if !batch.isEmpty, isFull || batch.last?.secretID == part.secretID {
                    batches.append(batch)
                    (batch, rows) = ([], 0)
                }
                batch.append(part)
                rows += part.rows
            }
        }
        if !batch.isEmpty { batches.append(batch) }
        return batches
    }

    /// Removes the counts and returns them by database, one for each secret.
    ///
    /// It takes the shards of some secrets after those of others, so that few counts are in memory twice.
    private func takeCounts() -> [Database: [UsageCount]] {
        let step = Self.shardCount / Int(Self.shardsOfSecret)
        var byDatabase: [Database: [UsageCount]] = [:]
        for first in 0..<step {
            var bySecret = takeCounts(of: shards[first])
            for other in stride(from: first + step, to: Self.shardCount, by: step) {
                bySecret.merge(takeCounts(of: shards[other])) { one, other in
                    var merged = one
                    merged.count.merge(other.count)
                    return merged
                }
            }
            for pending in bySecret.values { byDatabase[pending.database, default: []].append(pending.count) }
        }
        return byDatabase
    }

    /// Removes the counts of a shard, and leaves as much room for those until the next flush.
    private func takeCounts(of shard: Shard) -> [UUID: Pending] {
        shard.counts.withLock { counts in
            let taken = counts
            counts = Dictionary(minimumCapacity: taken.count)
            return taken
        }
    }

    private func rest(_ length: Duration) async { if length > .zero { await pause(length) } }

    private func flush(_ database: Database, _ batches: [[UsageCount]], pausing length: Duration) async {
        let begin = now()
        for (number, batch) in batches.enumerated() {
            // The time of the writes is a part of the pauses, so that a flush of many secrets does not take the time of both. After a slow
            // write, look-ups still have some time between two batches.
            if number > 0 { await rest(max(length / 4, begin + length * number - now())) }
            if Task.isCancelled { return keep(database, batches[number...]) }
            do {
                try await write(database, batch)
                retries.withLock { $0.worked(database) }
            } catch let error as TenancyError where error.code == .unknownWorkspace {
                // No database is left for the counts of a deleted workspace.
                retries.withLock { $0.worked(database) }
                logger.debug(
                    "usage of a deleted workspace was dropped",
                    metadata: ["workspace_id": .string(UUIDv7.text(of: database.workspaceID))]
                )
                return
            } catch {
                // The batch may have been committed. A count that is too low is better than one that is too high.
                let isUncertain = (error as? PostgresError)?.code == .commitOutcomeUnknown
                let instant = now()
                // The next attempts have nothing new to say. At a stop, the last flush follows.
                let isLocked = (error as? PostgresError)?.sqlState == .lockNotAvailable
                let isNew =
                    !Task.isCancelled && retries.withLock { $0.failed(database, at: instant, isLocked: isLocked) }
                logger.log(
                    level: isNew ? .warning : .debug,
                    "usage could not be written and waits",
                    metadata: ["workspace_id": .string(UUIDv7.text(of: database.workspaceID)), "error": "\(error)"]
                )
                return keep(database, batches[(isUncertain ? number + 1 : number)...])
            }
        }
    }

    /// Lets counts wait for a later flush.
    private func keep(_ database: Database, _ batches: ArraySlice<[UsageCount]>) {
        flights.withLock { state in
            for count in batches.joined() { keep(database, count, in: &state) }
        }
    }

    private func keep(_ database: Database, _ count: UsageCount, in state: inout UsageFlights) {
        let lost = state.backlog.add(count, of: database)
        if lost > 0 { overflow.add(lost, ordering: .relaxed) }
    }

    /// Returns one of the shards of a secret.
    ///
    /// The last byte of an id of version 7 is random.
    private func shard(of secret: UUID, _ index: UInt64) -> Shard {
        let step = UInt64(Self.shardCount) / Self.shardsOfSecret
        return shards[Int((UInt64(secret.uuid.15) + index * step) % UInt64(Self.shardCount))]
    }

    /// A number for the current thread, below `shardsOfSecret`.
    private static var threadIndex: UInt64 { UInt64(currentStripe() >> 2) }

    private var boundOfShard: Int { max(options.maximumSecrets / Self.shardCount, 1) }
}
