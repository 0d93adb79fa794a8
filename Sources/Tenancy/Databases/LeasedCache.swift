import Synchronization

/// A bounded set of things that are made when they are needed, lent to any number of users at once, and closed when they have gone
/// unused for longest and their place is needed.
///
/// A thing in use is never closed to make room: who needs a place waits for one, in the order of coming. One that is being closed no
/// longer counts, so for that moment there may be one more.
package final class LeasedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private final class Entry: Sendable {
        let value: Value
        /// Users, and the time of the last use in uses; guarded by a lock of their own.
        let counts = Mutex((users: 0, lastUse: UInt64(0), isLeaving: false))

        init(_ value: Value) { self.value = value }
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var line = PlaceLine<Entry>()
        /// Places that were given to callers who have not taken them yet.
        var reserved = 0
        var uses: UInt64 = 0
        var isShutDown = false
    }

    /// Where a thing can be put.
    private enum Place {
        case free
        /// In place of another one, which nobody uses.
        case takenBy(Key)
    }

    /// What asking for a thing comes to.
    private enum Lease {
        case granted(Entry, evicted: Entry?)
        case wait(PlaceLine<Entry>.Ticket)
    }

    private let capacity: Int
    private let patience: Duration
    private let maximumWaiters: Int
    private let close: @Sendable (Value) async -> Void
    private let state = Mutex(State())
    /// How many wait, or are about to: looked at without the lock by those who give something back.
    ///
    /// Whoever will wait counts here before looking at the users of any thing. So whoever gives up a thing after that look, under the
    /// thing's lock, sees the count.
    private let waiters = Atomic<Int>(0)

    /// Describes the set.
    ///
    /// - Parameters:
    ///   - capacity: the most things at once.
    ///   - patience: how long a caller waits for a place.
    ///   - maximumWaiters: how many may wait; further ones are refused at once.
    ///   - close: ends one; called once for each.
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

    /// How many there are.
    package var count: Int { state.withLock { $0.entries.count } }

    /// How many callers wait for a place.
    package var waitingCount: Int { state.withLock { $0.line.count } }

    /// Lends the thing of a key.
    ///
    /// - Throws: `capacityExceeded` when no place came free in time or too many wait, `CancellationError` when the task was cancelled
    ///   while it waited, and what `make` and `body` throw.
    package func withValue<T>(_ key: Key, make: () throws -> Value, _ body: (Value) async throws -> T) async throws -> T
    {
        let entry = try await lease(key, make)
        do {
            let result = try await body(entry.value)
            await release(entry)
            return result
        } catch {
            await release(entry)
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
        serveLine()
        if let idle { await close(idle.value) }
    }

    /// Refuses new users and closes everything, what is in use included.
    package func shutdown() async {
        let (entries, waiting) = self.state.withLock { state in
            state.isShutDown = true
            defer { state.entries = [:] }
            return (Array(state.entries.values), state.line.removeAll())
        }
        for ticket in waiting { ticket.finish(.failure(Self.shutDown)) }
        for entry in entries { await close(entry.value) }
    }

    // MARK: Leasing

    private static var shutDown: TenancyError { TenancyError(.capacityExceeded, "this node is shutting down") }
    private static var full: TenancyError {
        TenancyError(.capacityExceeded, "all connections that this node may have on the cluster are in use")
    }

    private func lease(_ key: Key, _ make: () throws -> Value) async throws -> Entry {
        switch try self.state.withLock({ state in try ask(key, make, &state) }) {
        case .granted(let entry, let evicted):
            if let evicted { await close(evicted.value) }
            return entry
        case .wait(let ticket):
            let evicted = try await wait(ticket)
            if let evicted { await close(evicted.value) }
            return try take(key, make)
        }
    }

    /// Lends what is there, makes what there is a place for, or joins the line.
    private func ask(_ key: Key, _ make: () throws -> Value, _ state: inout State) throws -> Lease {
        guard !state.isShutDown else { throw Self.shutDown }
        if let entry = share(key, &state) { return .granted(entry, evicted: nil) }
        waiters.add(1, ordering: .relaxed)
        var isWaiting = false
        defer { if !isWaiting { waiters.subtract(1, ordering: .relaxed) } }
        // Nobody passes those who wait.
        if state.line.isEmpty, let place = self.place(state) {
            // First, since nothing has to leave for what cannot be made.
            let entry = Entry(try make())
            let evicted = Self.clear(place, &state)
            Self.put(entry, key, &state)
            return .granted(entry, evicted: evicted)
        }
        guard state.line.count < maximumWaiters else { throw Self.full }
        isWaiting = true
        return .wait(state.line.join())
    }

    private func share(_ key: Key, _ state: inout State) -> Entry? {
        state.uses += 1
        guard let entry = state.entries[key] else { return nil }
        entry.counts.withLock { counts in
            counts.users += 1
            counts.lastUse = state.uses
        }
        return entry
    }

    /// A free place, or that of the thing unused for longest; `nil` when all are in use.
    private func place(_ state: State) -> Place? {
        if state.entries.count + state.reserved < capacity { return .free }
        return state.entries.lazy
            .map { (key: $0.key, entry: $0.value, counts: $0.value.counts.withLock { $0 }) }
            .filter { $0.counts.users == 0 }
            .min { $0.counts.lastUse < $1.counts.lastUse }
            .map { .takenBy($0.key) }
    }

    /// Takes out what is in a place; whoever calls this closes it.
    private static func clear(_ place: Place, _ state: inout State) -> Entry? {
        if case .takenBy(let key) = place { state.entries.removeValue(forKey: key) } else { nil }
    }

    private static func put(_ entry: Entry, _ key: Key, _ state: inout State) {
        entry.counts.withLock { $0 = (users: 1, lastUse: state.uses, isLeaving: false) }
        state.entries[key] = entry
    }

    /// Takes the place that was waited for; another caller may have made the same thing meanwhile.
    private func take(_ key: Key, _ make: () throws -> Value) throws -> Entry {
        // What is not needed, or not used for want of a thing, is the next one's.
        defer { serveLine() }
        return try self.state.withLock { state in
            guard !state.isShutDown else { throw Self.shutDown }
            state.reserved -= 1
            if let entry = share(key, &state) { return entry }
            let entry = Entry(try make())
            Self.put(entry, key, &state)
            return entry
        }
    }

    private func release(_ entry: Entry) async {
        let (isIdle, isLeaving) = entry.counts.withLock { counts in
            counts.users -= 1
            return (counts.users == 0, counts.isLeaving)
        }
        guard isIdle else { return }
        if isLeaving {
            await close(entry.value)
        } else {
            serveLine()
        }
    }

    // MARK: Waiting

    private func wait(_ ticket: PlaceLine<Entry>.Ticket) async throws -> Entry? {
        defer { waiters.subtract(1, ordering: .relaxed) }
        let alarm = Task { [patience] in
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

    /// Leaves the line; does nothing when a place has been given already.
    private func giveUp(_ ticket: PlaceLine<Entry>.Ticket, _ error: any Error) {
        if state.withLock({ $0.line.leave(ticket) }) { ticket.finish(.failure(error)) }
    }

    /// Gives free places to those who have waited longest.
    private func serveLine() {
        guard waiters.load(ordering: .relaxed) > 0 else { return }
        let served = self.state.withLock { state in
            var served: [(PlaceLine<Entry>.Ticket, Entry?)] = []
            while !state.line.isEmpty, let place = self.place(state), let ticket = state.line.removeFirst() {
                let evicted = Self.clear(place, &state)
                state.reserved += 1
                served.append((ticket, evicted))
            }
            return served
        }
        for (ticket, evicted) in served { ticket.finish(.success(evicted)) }
    }
}
