import FoundationEssentials
public import KeyStore
package import Keys
public import Logging
import Postgres
import Synchronization
public import Tenancy

/// Counts verifications in memory and writes them in batches, so that no verification ever writes.
///
/// Counts wait for their workspace's database when it is away, up to a bound; beyond it new secrets are not counted until it is back, and
/// a metric says so. What a node has counted since its last flush is lost when it is killed.
public final class UsageRecorder: Sendable {
    /// How counts leave.
    public struct Options: Sendable {
        /// How often they are written.
        ///
        /// Default 5 s.
        public var interval: Duration
        /// The most secrets, over all workspaces, that wait to be written.
        ///
        /// Default 200,000.
        public var maximumSecrets: Int
        /// How many secrets one statement carries.
        ///
        /// Default 1,000.
        public var batch: Int

        /// The defaults, or other values.
        public init(interval: Duration = .seconds(5), maximumSecrets: Int = 200_000, batch: Int = 1000) {
            self.interval = interval
            self.maximumSecrets = maximumSecrets
            self.batch = batch
        }
    }

    /// The database in which a key's use is written down: the one that the key is in.
    public enum Home: Sendable, Hashable {
        /// The control database, for admin and operator keys.
        case control
        /// A workspace's.
        case workspace(WorkspaceFacts)

        var workspaceID: UUID {
            if case .workspace(let facts) = self { facts.workspaceID } else { Workspace.rootID }
        }
    }

    /// Writes a batch to a database, whole or not at all; throws when it cannot.
    public typealias Writer = @Sendable (Home, [UsageCount]) async throws -> Void

    private struct Shard {
        var counts: [UUID: Pending] = [:]
    }

    private struct Pending {
        let home: Home
        var count: UsageCount
    }

    private final class Locked: Sendable {
        let shard = Mutex(Shard())
    }

    private let shards = (0..<8).map { _ in Locked() }
    private let options: Options
    private let write: Writer
    private let logger: Logger
    private let overflow = Atomic<Int>(0)

    /// A recorder that hands batches to `write`.
    public init(options: Options = Options(), logger: Logger, write: @escaping Writer) {
        self.options = options
        self.logger = logger
        self.write = write
    }

    /// How many uses were not counted because too many secrets waited.
    public var overflowCount: Int { overflow.load(ordering: .relaxed) }

    func record(_ facts: WorkspaceFacts, _ state: KeyState, _ code: VerdictCode, at now: Timestamp) {
        record(.workspace(facts), state, code, at: now)
    }

    /// Counts one verification, or one use of an admin or operator key; writes nothing.
    package func record(_ home: Home, _ state: KeyState, _ code: VerdictCode, at now: Timestamp) {
        let bound = options.maximumSecrets / shards.count
        let isCounted = shards[state.secretID.hashValue & 7].shard
            .withLock { shard in
                guard shard.counts[state.secretID] != nil || shard.counts.count < bound else { return false }
                let fresh = UsageCount(secretID: state.secretID, keyID: state.keyID)
                shard.counts[state.secretID, default: Pending(home: home, count: fresh)].count.add(code, at: now)
                return true
            }
        if !isCounted { overflow.add(1, ordering: .relaxed) }
    }

    /// Writes what has been counted until the task is cancelled, and once more then.
    public func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: options.interval)
            if !Task.isCancelled { await flush() }
        }
        // The last flush must happen although this task is cancelled: a task of its own, which is waited for.
        await Task { await flush() }.value
    }

    /// Writes what has been counted; what cannot be written waits for the next time.
    public func flush() async {
        var byHome: [Home: [UsageCount]] = [:]
        for shard in shards {
            let counts = shard.shard.withLock { shard in
                defer { shard.counts.removeAll(keepingCapacity: true) }
                return shard.counts
            }
            for pending in counts.values { byHome[pending.home, default: []].append(pending.count) }
        }
        await withTaskGroup(of: Void.self) { group in
            // A few at a time: flushing must not take every connection.
            var waiting = byHome.makeIterator()
            for _ in 0..<4 {
                guard let (home, counts) = waiting.next() else { break }
                group.addTask { await self.flush(home, counts) }
            }
            while await group.next() != nil {
                if let (home, counts) = waiting.next() { group.addTask { await self.flush(home, counts) } }
            }
        }
    }

    private func flush(_ home: Home, _ counts: [UsageCount]) async {
        for start in stride(from: 0, to: counts.count, by: options.batch) {
            let batch = Array(counts[start..<min(start + options.batch, counts.count)])
            do {
                try await write(home, batch)
            } catch let error as TenancyError where error.code == .unknownWorkspace {
                // A deleted workspace's counts have nowhere to go.
                logger.debug(
                    "usage of a deleted workspace was dropped",
                    metadata: ["workspace_id": "\(home.workspaceID)"]
                )
                return
            } catch {
                // Nobody knows whether it was committed: a count that is too low is better than one that is too high.
                let isUncertain = (error as? PostgresError)?.code == .commitOutcomeUnknown
                logger.warning(
                    "usage could not be written and waits",
                    metadata: ["workspace_id": "\(home.workspaceID)", "error": "\(error)"]
                )
                for count in counts[(isUncertain ? start + batch.count : start)...] { restore(home, count) }
                return
            }
        }
    }

    private func restore(_ home: Home, _ count: UsageCount) {
        let bound = options.maximumSecrets / shards.count
        shards[count.secretID.hashValue & 7].shard
            .withLock { shard in
                if var pending = shard.counts[count.secretID] {
                    pending.count.merge(count)
                    shard.counts[count.secretID] = pending
                } else if shard.counts.count < bound {
                    shard.counts[count.secretID] = Pending(home: home, count: count)
                }
            }
    }
}
