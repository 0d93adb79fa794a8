import Synchronization

/// A bounded set of things that are made when they are needed, lent to any number of users at once, and closed when they have gone
/// unused for longest and their place is needed.
///
/// A thing in use is never closed to make room. One that is being closed no longer counts, so for that moment there may be one more.
package final class LeasedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private final class Entry: Sendable {
        let value: Value
        /// Users, and the time of the last use in uses; guarded by the cache's lock.
        let counts = Mutex((users: 0, lastUse: UInt64(0), isLeaving: false))

        init(_ value: Value) { self.value = value }
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var uses: UInt64 = 0
        var isShutDown = false
    }

    private let capacity: Int
    private let close: @Sendable (Value) async -> Void
    private let state = Mutex(State())

    /// Describes the set.
    ///
    /// - Parameters:
    ///   - capacity: the most things at once.
    ///   - close: ends one; called once for each.
    package init(capacity: Int, close: @escaping @Sendable (Value) async -> Void) {
        self.capacity = max(1, capacity)
        self.close = close
    }

    /// How many there are.
    package var count: Int { self.state.withLock { $0.entries.count } }

    /// Lends the thing of a key.
    ///
    /// - Throws: `capacityExceeded` when all places are in use, and what `body` throws.
    package func withValue<T>(_ key: Key, make: () throws -> Value, _ body: (Value) async throws -> T) async throws -> T
    {
        let (entry, evicted) = try self.lease(key, make)
        if let evicted { await self.close(evicted.value) }
        do {
            let result = try await body(entry.value)
            await self.release(entry)
            return result
        } catch {
            await self.release(entry)
            throw error
        }
    }

    /// Takes a key's thing out; it is closed as soon as nobody uses it.
    package func remove(_ key: Key) async {
        let idle: Entry? = self.state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: key) else { return nil }
            return entry.counts.withLock { counts in
                counts.isLeaving = true
                return counts.users == 0 ? entry : nil
            }
        }
        if let idle { await self.close(idle.value) }
    }

    /// Refuses new users and closes everything, what is in use included.
    package func shutdown() async {
        let entries = self.state.withLock { state in
            state.isShutDown = true
            defer { state.entries = [:] }
            return Array(state.entries.values)
        }
        for entry in entries { await self.close(entry.value) }
    }

    private func lease(_ key: Key, _ make: () throws -> Value) throws -> (Entry, evicted: Entry?) {
        try self.state.withLock { state in
            guard !state.isShutDown else { throw TenancyError(.capacityExceeded, "this node is shutting down") }
            state.uses += 1
            let now = state.uses
            if let entry = state.entries[key] {
                entry.counts.withLock { counts in
                    counts.users += 1
                    counts.lastUse = now
                }
                return (entry, nil)
            }
            let entry = Entry(try make())
            var evicted: Entry?
            if state.entries.count >= self.capacity {
                let idle = state.entries.lazy
                    .map { (key: $0.key, entry: $0.value, counts: $0.value.counts.withLock { $0 }) }
                    .filter { $0.counts.users == 0 }
                    .min { $0.counts.lastUse < $1.counts.lastUse }
                guard let idle else {
                    throw TenancyError(
                        .capacityExceeded,
                        "all connections that this node may have on the cluster are in use"
                    )
                }
                state.entries[idle.key] = nil
                evicted = idle.entry
            }
            entry.counts.withLock { $0 = (users: 1, lastUse: now, isLeaving: false) }
            state.entries[key] = entry
            return (entry, evicted)
        }
    }

    private func release(_ entry: Entry) async {
        let isLast = entry.counts.withLock { counts in
            counts.users -= 1
            return counts.isLeaving && counts.users == 0
        }
        if isLast { await self.close(entry.value) }
    }
}
