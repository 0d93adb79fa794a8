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
/// While a workspace's database is unavailable its counts wait, up to a bound. Beyond the bound the uses of further secrets are
/// not counted, and a metric shows their number. A node that is killed loses what it counted since its last flush.
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
        /// The largest number of counts that wait, over all workspaces, of which a secret has up to four.
        ///
        /// Defaults to 200,000.
        public var maximumSecrets: Int
        /// The number of secrets in one transaction, which the look-ups of the workspace wait for.
        ///
        /// Defaults to 100, which take about two milliseconds.
        public var batch: Int

        /// Creates options.
        ///
        /// Each parameter has the default of its property.
        public init(
            interval: Duration = .seconds(1),
            lateInterval: Duration = .seconds(10),
            maximumSecrets: Int = 200_000,
            batch: Int = 100
        ) {
            self.interval = interval
            self.lateInterval = lateInterval
            self.maximumSecrets = maximumSecrets
            self.batch = batch
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
    /// The databases that a flush writes to at a time, so that it leaves connections for others.
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
    private let logger: Logger
    private let overflow = Atomic<Int>(0)
    /// The databases whose last write failed, which have had a line in the log.
    private let failing = Locked<Set<Database>>([])
    /// The uses that a flush is writing, by secret.
    private struct Uses {
        /// The last ones.
        var last: [UUID: KeyUse] = [:]
        /// The addresses besides that of the last use, which few secrets have.
        var otherAddresses: [UUID: Set<IPAddress>] = [:]

        init(_ counts: some Sequence<UsageCount>) {
            for count in counts {
                guard let use = count.lastUse else { continue }
                last[count.secretID] = use
                if !count.otherAddresses.isEmpty { otherAddresses[count.secretID] = count.otherAddresses }
            }
        }

        func addresses(of secret: UUID) -> Set<IPAddress> {
            let others = otherAddresses[secret] ?? []
            return last[secret]?.address.map { others.union([$0]) } ?? others
        }
    }

    /// The uses that flushes are writing.
    private struct Flights {
        /// The number of flushes so far.
        var count = 0
        /// The uses of each flush.
        var uses: [Int: Uses] = [:]
        /// The last flush that has ended.
        ///
        /// Its uses stay until another one has ended: somebody can have read a row before it was written, and add its last use after that.
        var ended: Int?

        /// Notes the end of a flush.
        mutating func end(_ flight: Int) {
            if let ended { uses[ended] = nil }
            ended = flight
        }
    }

    private let inFlight = Locked(Flights())

    /// Creates a recorder.
    ///
    /// - Parameters:
    ///   - options: The intervals and bounds.
    ///   - logger: Receives the faults of flushes.
    ///   - pause: Waits between two writes, until the task is cancelled. Defaults to a wait of real time.
    ///   - now: The current instant. Defaults to the system's clock.
    ///   - isLate: Returns true for a database to which counts can be written only over a connection that takes the place of another.
    ///     Defaults to false for each.
    ///   - write: Writes a batch of counts.
    public init(
        options: Options = Options(),
        logger: Logger,
        pause: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        isLate: @escaping @Sendable (Database) -> Bool = { _ in false },
        write: @escaping Writer
    ) {
        self.options = options
        self.logger = logger
        self.pause = pause
        self.now = now
        self.isLate = isLate
        self.write = write
    }

    /// The number of uses that were not counted because too many secrets waited.
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
    private func flush(_ part: Part, again interval: Duration) async {
        var next = ContinuousClock.now + interval
        while true {
            try? await Task.sleep(until: next, clock: .continuous)
            if Task.isCancelled { return }
            let begin = ContinuousClock.now
            await flush(part, over: interval / 2)
            // A flush that took long is followed by a wait, too.
            next = max(begin + interval, ContinuousClock.now + interval / 2)
        }
    }

    /// Writes the counts.
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
        let (flight, byDatabase) = beginFlight(part)
        defer { inFlight.withLock { $0.end(flight) } }
        let batches = byDatabase.values.reduce(0) { $0 + ($1.count + options.batch - 1) / options.batch }
        let length = min(time / max(batches, 1), Self.longestPause)
        await withTaskGroup(of: Void.self) { group in
            for (number, (database, counts)) in byDatabase.enumerated() {
                if number >= Self.maximumWrites { _ = await group.next() }
                if number > 0 { await rest(length) }
                // Its connection can have been closed since the beginning.
                if part == .ready, isLate(database) {
                    restore(database, counts[...])
                    continue
                }
                group.addTask { await self.flush(database, counts, pausing: length) }
            }
        }
    }

    /// Returns the last accepted use of a secret that this node has counted and may not have written yet.
    package func lastUse(of secret: UUID) -> KeyUse? {
        // A flush moves uses from the shards into flight, so the shards are read first.
        var uses = (0..<Self.shardsOfSecret)
            .compactMap { index in
                shard(of: secret, index).counts.withLock { $0[secret]?.count.lastUse }
            }
        uses += inFlight.withLock { $0.uses.values.compactMap { $0.last[secret] } }
        return uses.reduce(nil, KeyUse.later)
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
            for uses in inFlight.withLock({ Array($0.uses.values) }) {
                addresses.formUnion(uses.addresses(of: secret))
            }
        }
        return addresses
    }

    /// Removes the counts of some databases, and keeps their uses visible until ``inFlight`` forgets them.
    private func beginFlight(_ part: Part) -> (Int, [Database: [UsageCount]]) {
        // The lock is held meanwhile, so that a reader finds a use in one of the two places.
        inFlight.withLock { flights in
            let counts = takeCounts()
            flights.count += 1
            flights.uses[flights.count] = Uses(counts.values.joined())
            guard part != .all else { return (flights.count, counts) }
            let chosen = counts.filter { isLate($0.key) == (part == .late) }
            for (database, rest) in counts where chosen[database] == nil { restore(database, rest[...]) }
            return (flights.count, chosen)
        }
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

    private func flush(_ database: Database, _ counts: [UsageCount], pausing length: Duration) async {
        let begin = now()
        for start in stride(from: 0, to: counts.count, by: options.batch) {
            // The time of the writes is a part of the pauses, so that a flush of many secrets does not take the time of both. After a slow
            // write, look-ups still have some time between two batches.
            if start > 0 { await rest(max(length / 4, begin + length * (start / options.batch) - now())) }
            if Task.isCancelled { return restore(database, counts[start...]) }
            let batch = Array(counts[start..<min(start + options.batch, counts.count)])
            do {
                try await write(database, batch)
                failing.withLock { _ = $0.remove(database) }
            } catch let error as TenancyError where error.code == .unknownWorkspace {
                // No database is left for the counts of a deleted workspace.
                failing.withLock { _ = $0.remove(database) }
                logger.debug(
                    "usage of a deleted workspace was dropped",
                    metadata: ["workspace_id": .string(UUIDv7.text(of: database.workspaceID))]
                )
                return
            } catch {
                // The batch may have been committed. A count that is too low is better than one that is too high.
                let isUncertain = (error as? PostgresError)?.code == .commitOutcomeUnknown
                // The next attempts, one in each second, have nothing new to say. At a stop, the last flush follows.
                let isNew = !Task.isCancelled && failing.withLock { $0.insert(database).inserted }
                logger.log(
                    level: isNew ? .warning : .debug,
                    "usage could not be written and waits",
                    metadata: ["workspace_id": .string(UUIDv7.text(of: database.workspaceID)), "error": "\(error)"]
                )
                return restore(database, counts[(isUncertain ? start + batch.count : start)...])
            }
        }
    }

    private func restore(_ database: Database, _ counts: ArraySlice<UsageCount>) {
        for count in counts { restore(database, count) }
    }

    private func restore(_ database: Database, _ count: UsageCount) {
        let bound = boundOfShard
        shard(of: count.secretID, 0).counts
            .withLock { counts in
                if let index = counts.index(forKey: count.secretID) {
                    counts.values[index].count.merge(count)
                } else if counts.count < bound {
                    counts[count.secretID] = Pending(database: database, count: count)
                } else {
                    overflow.add(count.verdicts.values.reduce(0, +), ordering: .relaxed)
                }
            }
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
