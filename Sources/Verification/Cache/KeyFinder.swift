import Fence
package import FoundationEssentials
package import KeyStore
package import Keys
package import Postgres
import Synchronization
import Tenancy

/// A key at the moment of a decision.
package struct KeyReading: Sendable {
    /// The key.
    package let key: FoundKey
    /// The database's time, carried forward by this node's clock since the key was read.
    package let now: Timestamp
}

/// Finds the key of a token: in memory while the fences allow it, otherwise in the database.
///
/// The rules are those of decision 0014: an answer from memory needs a good lease and an equal stamp, and an answer of the database counts
/// only if the lease is good after it arrived.
package final class KeyFinder: Sendable {
    private let databases: Databases
    private let homes: KeyHomes
    private let cache: KeyCache?
    private let deadline: Duration
    private let maximumAge: Duration
    private let reads = Atomic<Int>(0)

    private static let maximumReads = 3

    /// Creates a finder without keys in memory.
    ///
    /// - Parameters:
    ///   - databases: The databases.
    ///   - peppers: The peppers of tokens.
    ///   - cacheBytes: The maximum size of the keys in memory. 0 means that every verification reads.
    ///   - maximumAge: The maximum age of an entry, which bounds what no fence covers: SQL by hand, and restored databases.
    ///   - deadline: The maximum time of a read.
    ///   - limiter: Counts the uses of keys with limits.
    init(
        databases: Databases,
        peppers: PepperRing,
        cacheBytes: Int,
        maximumAge: Duration,
        deadline: Duration,
        limiter: UseLimiter
    ) {
        self.databases = databases
        self.maximumAge = maximumAge
        homes = KeyHomes(databases, peppers, limiter)
        cache = cacheBytes > 0 ? KeyCache(maximumBytes: cacheBytes) : nil
        self.deadline = deadline
    }

    /// The number of keys in memory, and their estimated bytes.
    package var size: (keys: Int, bytes: Int) { cache?.size ?? (0, 0) }

    /// The number of reads of databases since the start.
    package var readCount: Int { reads.load(ordering: .relaxed) }

    /// Removes all keys from memory, for tests that change rows by hand, which no fence covers.
    package func removeAll() { cache?.removeAll() }

    /// Forgets the homes of all keys, after this node has left a cluster.
    ///
    /// They are found again without a read, except those of workspaces that are new to this node.
    package func forgetHomes() { homes.removeAll() }

    // MARK: Homes

    func knownHome(_ ref: WorkspaceRef, of organizationID: UUID) -> KeyHome? { homes.known(ref, of: organizationID) }

    func home(_ ref: WorkspaceRef, of organizationID: UUID) async throws -> KeyHome? {
        try await homes.home(ref, of: organizationID)
    }

    /// Returns the home of admin and operator keys.
    ///
    /// - Throws: The errors of the control database.
    package func root() async throws -> KeyHome { try await homes.root() }

    /// The home of admin and operator keys, if keys are kept in memory and this node knows it.
    package var rootInMemory: KeyHome? { cache == nil ? nil : homes.knownRoot }

    // MARK: Keys

    /// Returns the key of a token from memory, or `nil` if it is not there or does not count any more.
    ///
    /// Call it after the request was received: the clock is read here (rule 13).
    package func cached(_ digest: PepperedDigest, in home: KeyHome) -> KeyReading? {
        guard let cache else { return nil }
        let now = Moment.now
        guard let lease = home.keeper.view.lease(at: now), let entry = cache[digest.digest],
            home.keeper.view.admits(entry.stamp, lease)
        else { return nil }
        let age = now - entry.readAt
        guard age < maximumAge else { return nil }
        return KeyReading(key: entry.key, now: entry.key.readAt + age)
    }

    /// Reads the key of a token, and keeps it in memory if the fences allow it.
    ///
    /// - Parameters:
    ///   - digests: The digests of the token, the current pepper's first.
    ///   - home: The home of the key.
    /// - Returns: The key, or `nil` if there is none.
    /// - Throws: The database's errors; `deadlineExceeded` without a lease; `unknownWorkspace`.
    package func read(_ digests: [PepperedDigest], in home: KeyHome) async throws -> KeyReading? {
        let key = try await read(
            in: home,
            storedUnder: digests[0].digest,
            { $0 },
            stopped: { $0.stopped }
        ) { pipeline, deadline in
            try await KeyLookup.find(digests, ref: home.ref, in: pipeline, deadline: deadline)
        }
        return key.map { KeyReading(key: $0, now: $0.readAt) }
    }

    /// Reads the operator key that a secret belongs to, for a session that names the secret.
    ///
    /// - Returns: The key, or `nil` if there is none.
    /// - Throws: The errors of ``read(_:in:)``.
    package func readOperatorKey(ofSecret secret: UUID) async throws -> KeyReading? {
        let key = try await read(in: try await root(), storedUnder: nil, { $0 }, stopped: { $0.stopped }) {
            pipeline,
            deadline in
            try await KeyLookup.findOperatorKey(ofSecret: secret, in: pipeline, deadline: deadline)
        }
        return key.map { KeyReading(key: $0, now: $0.readAt) }
    }

    /// Reads who a caller is, such as a session, from the control database.
    ///
    /// A server that was replaced by its standby would otherwise still vouch for a session that has ended.
    ///
    /// - Parameter body: Reads, and returns the mark of the session of the pipeline that answered.
    /// - Returns: The value that `body` read.
    /// - Throws: The errors of `body`, and `deadlineExceeded` without a lease.
    package func readCaller<Value: Sendable>(
        _ body: @Sendable (PostgresPipeline) async throws -> (value: Value, mark: SessionMark)
    ) async throws -> Value {
        try await counting(in: try await root()) { pipeline, _ in
            let answer = try await body(pipeline)
            return (answer.value, nil, answer.mark)
        }
        .value
    }

    /// Reads something of a key, which counts only under a good lease (rules 17, 20 and 21).
    ///
    /// - Parameters:
    ///   - home: The home of the key.
    ///   - digest: The digest under which the key is kept in memory. `nil` keeps it not.
    ///   - key: Returns the key of what was found.
    ///   - stopped: Returns what was found with a key that its workspace's state refuses.
    ///   - body: Reads.
    /// - Returns: The value that `body` found.
    /// - Throws: The errors of `body`, and `deadlineExceeded` without a lease.
    func read<Found: Sendable>(
        in home: KeyHome,
        storedUnder digest: Digest?,
        _ key: (Found) -> FoundKey,
        stopped: (Found) -> Found,
        _ body: (PostgresPipeline, Duration) async throws -> KeyLookup.Answer<Found>
    ) async throws -> Found? {
        let (found, stamp, before) = try await counting(in: home) { pipeline, deadline in
            reads.add(1, ordering: .relaxed)
            let answer = try await body(pipeline, deadline)
            return (answer.found, answer.found.map { key($0).state.keyID }, answer.mark)
        }
        // Only a database that was restored from an older backup differs for long. Nothing of it is kept.
        if let found, let workspace = home.workspace, key(found).state.workspaceIsActive,
            try await databases.isStopped(workspace)
        {
            return stopped(found)
        }
        if let stamp, let found, let digest, let cache {
            cache.insert(CachedKey(digest: digest, key: key(found), stamp: stamp, readAt: before))
        }
        return found
    }

    /// Reads until an answer counts.
    ///
    /// - Parameters:
    ///   - home: The home of the database.
    ///   - body: Reads, and returns the value, the id of its key, and the mark of the session that answered.
    /// - Returns: The value, the stamp under which its key can be kept, and the moment before the read.
    /// - Throws: The errors of `body`, and `deadlineExceeded` without a lease.
    private func counting<Value>(
        in home: KeyHome,
        _ body: (PostgresPipeline, Duration) async throws -> (value: Value, key: UUID?, mark: SessionMark)
    ) async throws -> (value: Value, stamp: Stamp?, before: Moment) {
        let view = home.keeper.view
        // A server that does not answer would keep each request for the whole deadline, and their number would grow.
        guard !home.keeper.isCutOff(for: Databases.leasePatience) else { throw Self.withoutLease }
        for _ in 0..<Self.maximumReads {
            // Before the read is written. A pipeline joins a read only to one that is not written either.
            let ticket = view.willRead(in: home.fences)
            let before = Moment.now
            let (value, outcome) = try await withLookups(in: home) { pipeline in
                let answer = try await body(pipeline, deadline)
                let outcome = view.didRead(ticket, key: answer.key, on: answer.mark, at: .now)
                if case .otherServer = outcome { pipeline.closeSessions(marked: answer.mark) }
                return (answer.value, outcome)
            }
            switch outcome {
            case .answer: return (value, nil, before)
            case .store(let stamp): return (value, stamp, before)
            case .noLease, .otherServer:
                // After a failover, the old server's lease ends before the new one's begins.
                let patience = PostgresDeadline.limit(Databases.leasePatience)
                guard await home.keeper.waitForLease(atMost: patience) else { throw Self.withoutLease }
            }
        }
        throw Self.withoutLease
    }

    private func withLookups<T>(in home: KeyHome, _ body: (PostgresPipeline) async throws -> T) async throws -> T {
        guard let workspace = home.workspace else { return try await body(databases.control.lookups) }
        return try await databases.withLookups(workspace, body)
    }

    private static let withoutLease = PostgresError(
        .deadlineExceeded,
        "this node has no lease on the cluster, so what it reads could be out of date"
    )
}
