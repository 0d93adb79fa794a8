import Locks
import Postgres
import Synchronization

/// A bounded set of values that are created on demand, lent to any number of users at once, and closed to make room.
///
/// The value that was unused for longest makes room. A value in use is never closed for that: the caller waits for a
/// slot, first come first served. A value that is being closed no longer counts, so for that moment there can be one
/// more.
///
/// A thread finds a value that it has used before without the lock that all threads share.
package final class LeasedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private final class Entry: Sendable {
        /// The life of a value.
        enum Phase {
            /// The value can be lent.
            case open
            /// The value was removed from the set. Its last user closes it.
            case removed
            /// The value was closed, or its closer is about to.
            case closed
        }

        let value: Value
        /// The users, the number of the last use, and the phase; guarded by a lock of their own.
        let counts = Locked((users: 0, lastUse: UInt64(0), phase: Phase.open))

        init(_ value: Value) { self.value = value }

        /// Adds a user, unless the value is not lent any more.
        func acquire(_ use: UInt64) -> Bool {
            counts.withLock { counts in
                guard counts.phase == .open else { return false }
                counts.users += 1
                counts.lastUse = use
                return true
            }
        }

        /// Marks the value as closed if nobody uses it.
        func closeIfIdle() -> Bool {
            counts.withLock { counts in
                guard counts.users == 0, counts.phase == .open else { return false }
                counts.phase = .closed
                return true
            }
        }
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var queue = SlotQueue<Entry>()
        /// The number of slots that were given to callers who have not taken them yet.
        var reserved = 0
        var isShutDown = false
    }

    /// A slot for a value.
    private enum Slot {
        case free
        /// The slot of a value that nobody used when it was found.
        case occupied(Key, Entry)
    }

    /// The result of asking for a value.
    private enum Lease {
        case granted(Entry, evicted: Entry?)
        /// The value that was created for a slot that another caller took is not needed.
        case wait(SlotQueue<Entry>.Ticket, unneeded: Entry?)
    }

    private let capacity: Int
    private let patience: Duration
    private let maximumWaiters: Int
    private let close: @Sendable (Value) async -> Void
    private let state = Locked(State())
    /// Copies of the entries, which change only under the lock of `state`, so that no copy outlives its entry.
    private let known = Striped<[Key: Entry]>([:])
    private let uses = Atomic<UInt64>(0)
    /// The number of callers that wait, or are about to.
    ///
    /// Users who release a value read it without the lock.
    ///
    /// A caller counts itself before it looks at the users of any value. So a user who releases a value after that
    /// look, under the value's lock, sees the count.
    private let waiters = Atomic<Int>(0)

    /// Creates an empty set.
    ///
    /// - Parameters:
    ///   - capacity: The maximum number of values.
    ///   - patience: The maximum wait for a slot.
    ///   - maximumWaiters: The maximum number of callers that wait. Further callers are refused at once.
    ///   - close: Closes a value. It is called once for each.
    package init(
        capacity: Int,
        patience: Duration = .seconds(2),
        maximumWaiters: Int = 1024,
        close: @escaping @Sendable (Value) async -> Void
    ) {
        self.capacity = max(1, capacity)
        self.patience = patience
        self.maximumWaiters = maximumWaiters
        self.close = close
    }

    /// The number of values.
    package var count: Int { state.withLock { $0.entries.count } }

    /// The number of callers that wait for a slot.
    package var waitingCount: Int { state.withLock { $0.queue.count } }

    /// Lends the value of a key while `body` runs.
    ///
    /// - Throws: `capacityExceeded` if no slot became free in time or too many callers wait, `CancellationError` if the
    ///   task was cancelled while it waited, and what `make` and `body` throw.
    package func withValue<T>(_ key: Key, make: () throws -> Value, _ body: (Value) async throws -> T) async throws -> T
    {
        let entry: Entry
        if let shared = share(key) { entry = shared } else { entry = try await lease(key, make) }
        do {
            let result = try await body(entry.value)
            await release(entry)
            return result
        } catch {
            await release(entry)
            throw error
        }
    }

    /// Removes a key's value.
    ///
    /// It is closed as soon as nobody uses it.
    package func remove(_ key: Key) async {
        let idle: Entry? = self.state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: key) else { return nil }
            known.updateAll { $0[key] = nil }
            return entry.counts.withLock { counts in
                counts.phase = counts.users == 0 ? .closed : .removed
                return counts.phase == .closed ? entry : nil
            }
        }
        serveQueue()
        if let idle { await close(idle.value) }
    }

    /// Refuses new users and closes every value, including those in use.
    package func shutdown() async {
        let (entries, waiting) = self.state.withLock { state in
            state.isShutDown = true
            known.updateAll { $0 = [:] }
            defer { state.entries = [:] }
            return (Array(state.entries.values), state.queue.removeAll())
        }
        for ticket in waiting { ticket.finish(.failure(Self.shutDown)) }
        for entry in entries {
            entry.counts.withLock { $0.phase = .closed }
            await close(entry.value)
        }
    }

    // MARK: Leasing

    private static var shutDown: TenancyError { TenancyError(.capacityExceeded, "this node is shutting down") }
    private static var full: TenancyError {
        TenancyError(.capacityExceeded, "all connections that this node may have on the cluster are in use")
    }

    private var nextUse: UInt64 { uses.add(1, ordering: .relaxed).newValue }

    /// Returns the value of a key that this thread has used before, with one more user.
    private func share(_ key: Key) -> Entry? {
        let entry: Entry? = known.withCurrent { $0[key] }
        guard let entry, entry.acquire(nextUse) else { return nil }
        return entry
    }

    private func lease(_ key: Key, _ make: () throws -> Value) async throws -> Entry {
        switch try self.state.withLock({ state in try ask(key, make, &state) }) {
        case .granted(let entry, let evicted):
            if let evicted { await close(evicted.value) }
            return entry
        case .wait(let ticket, let unneeded):
            if let unneeded { await close(unneeded.value) }
            let evicted = try await wait(ticket)
            if let evicted { await close(evicted.value) }
            return try take(key, make)
        }
    }

    /// Returns the present value of a key, with one more user.
    private func present(_ key: Key, _ state: inout State) -> Entry? {
        guard let entry = state.entries[key], entry.acquire(nextUse) else { return nil }
        known.withCurrent { $0[key] = entry }
        return entry
    }

    /// Lends the present value, creates one if there is a slot, or joins the queue.
    private func ask(_ key: Key, _ make: () throws -> Value, _ state: inout State) throws -> Lease {
        guard !state.isShutDown else { throw Self.shutDown }
        if let entry = present(key, &state) { return .granted(entry, evicted: nil) }
        waiters.add(1, ordering: .relaxed)
        var isWaiting = false
        defer { if !isWaiting { waiters.subtract(1, ordering: .relaxed) } }
        var created: Entry?
        // Nobody overtakes the queue.
        while state.queue.isEmpty, let slot = self.slot(state) {
            // Before anything is evicted: nothing makes room for a value that cannot be created.
            let entry = try created ?? Entry(make())
            created = entry
            // False if a thread has begun to use the value meanwhile.
            guard let evicted = clear(slot, &state) else { continue }
            put(entry, key, &state)
            return .granted(entry, evicted: evicted)
        }
        guard state.queue.count < maximumWaiters else { throw Self.full }
        isWaiting = true
        return .wait(state.queue.join(), unneeded: created)
    }

    /// Returns a free slot, or that of the value that was unused for longest; `nil` if all are in use.
    private func slot(_ state: State) -> Slot? {
        if state.entries.count + state.reserved < capacity { return .free }
        return state.entries.lazy
            .map { (key: $0.key, entry: $0.value, counts: $0.value.counts.withLock { $0 }) }
            .filter { $0.counts.users == 0 }
            .min { $0.counts.lastUse < $1.counts.lastUse }
            .map { .occupied($0.key, $0.entry) }
    }

    /// Evicts the value of a slot, which the caller then closes.
    ///
    /// - Returns: The slot's former value, or `.some(nil)` for a free slot; `nil` if somebody uses the value now.
    private func clear(_ slot: Slot, _ state: inout State) -> Entry?? {
        switch slot {
        case .free: return .some(nil)
        case .occupied(let key, let entry):
            guard entry.closeIfIdle() else { return nil }
            state.entries[key] = nil
            known.updateAll { $0[key] = nil }
            return .some(entry)
        }
    }

    private func put(_ entry: Entry, _ key: Key, _ state: inout State) {
        _ = entry.acquire(nextUse)
        state.entries[key] = entry
        known.withCurrent { $0[key] = entry }
    }

    /// Takes the slot that the caller waited for.
    ///
    /// Another caller can have created the same value meanwhile.
    private func take(_ key: Key, _ make: () throws -> Value) throws -> Entry {
        // A slot that is not needed, or that no value could be created for, goes to the next caller.
        defer { serveQueue() }
        return try self.state.withLock { state in
            guard !state.isShutDown else { throw Self.shutDown }
            state.reserved -= 1
            if let entry = present(key, &state) { return entry }
            let entry = Entry(try make())
            put(entry, key, &state)
            return entry
        }
    }

    private func release(_ entry: Entry) async {
        let (isIdle, isLast) = entry.counts.withLock { counts in
            counts.users -= 1
            guard counts.users == 0, counts.phase == .removed else { return (counts.users == 0, false) }
            counts.phase = .closed
            return (true, true)
        }
        guard isIdle else { return }
        if isLast {
            await close(entry.value)
        } else {
            serveQueue()
        }
    }

    // MARK: Waiting

    private func wait(_ ticket: SlotQueue<Entry>.Ticket) async throws -> Entry? {
        defer { waiters.subtract(1, ordering: .relaxed) }
        let alarm = Task { [patience = PostgresDeadline.limit(patience)] in
            try await Task.sleep(for: patience)
            giveUp(ticket, Self.full)
        }
        defer { alarm.cancel() }
        return try await withTaskCancellationHandler {
            try await ticket.value()
        } onCancel: {
            giveUp(ticket, CancellationError())
        }
    }

    /// Leaves the queue.
    ///
    /// It does nothing if a slot was granted already.
    private func giveUp(_ ticket: SlotQueue<Entry>.Ticket, _ error: any Error) {
        if state.withLock({ $0.queue.leave(ticket) }) { ticket.finish(.failure(error)) }
    }

    /// Grants free slots to the callers that have waited longest.
    private func serveQueue() {
        guard waiters.load(ordering: .relaxed) > 0 else { return }
        let served = self.state.withLock { state in
            var served: [(SlotQueue<Entry>.Ticket, Entry?)] = []
            while !state.queue.isEmpty, let slot = self.slot(state) {
                guard let evicted = clear(slot, &state), let ticket = state.queue.removeFirst() else { continue }
                state.reserved += 1
                served.append((ticket, evicted))
            }
            return served
        }
        for (ticket, evicted) in served { ticket.finish(.success(evicted)) }
    }
}
