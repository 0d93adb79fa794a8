package import FoundationEssentials
import Locks
import Postgres
import Synchronization

/// A bounded set of values that are created on demand, lent to any number of users at once, and closed to make room.
///
/// Each value belongs to an owner. Owners share the slots fairly: a value makes room for another value of its owner, or for an
/// owner that has fewer. Of the values that can make room, the one that was unused for longest is closed. A value in use is
/// never closed for that: the caller waits for a slot. A slot that becomes free goes to the waiting owner that has the fewest,
/// and for one owner the first who came is served first. See `CacheSlots`.
///
/// A caller that waits gets the value of its key as soon as another caller has created it, without a slot of its own. So a value is
/// opened once, however many wait for it.
///
/// A thread finds a value that it has used before without the lock that all threads share.
package final class LeasedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// The result of asking for a value.
    private enum Lease {
        case granted(Entry)
        /// A slot is reserved for the new value. The value that had it is closed first, so that there are never too many.
        case replacing(Entry, with: Entry)
        /// The value that was created for a slot that another caller took is not needed.
        case wait(Queue.Ticket, unneeded: Entry?)
    }

    /// The ends of waits that were decided under the lock, and that follow after it.
    private typealias Decisions = [(Queue.Ticket, Result<Queue.Grant, any Error>)]
    typealias Entry = LeasedEntry<Key, Value>
    private typealias Queue = SlotQueue<Key, Entry>

    private let patience: Duration
    private let openingPatience: Duration
    private let maximumWaiters: Int
    private let isRefusal: @Sendable (any Error) -> Bool
    private let makeRoomElsewhere: @Sendable () async -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let close: @Sendable (Value) async -> Void
    private let boundsOpenings: Bool
    private let state: Locked<CacheSlots<Key, Value>>
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

    /// The pause before a refused value is created once more.
    ///
    /// A server needs a moment to end the session that made room.
    private static var pause: Duration { .milliseconds(20) }

    /// Creates an empty set.
    ///
    /// - Parameters:
    ///   - capacity: The maximum number of values.
    ///   - maximumShare: The maximum number of values of one owner. Defaults to `nil`, all of them.
    ///   - maximumOpenings: The maximum number of values that one owner opens at once. A value is open when its first user, or another
    ///     one, is done with it. Defaults to `nil`, all of them.
    ///   - replacementPause: The time between two values of one owner that take the place of others, while other owners have values, too.
    ///     Its callers wait meanwhile. Defaults to `nil`: no time.
    ///   - replacementBurst: The number of such values that need no pause after a time without them. Defaults to 1.
    ///   - openingPatience: The time after which a value that is not open yet lets the next one be opened: it waits, and does not work.
    ///     Defaults to 0.25 s.
    ///   - patience: The maximum wait for a slot.
    ///   - maximumWaiters: The maximum number of callers that wait. Beyond it, the last caller of the owner that has the most
    ///     waiting ones is refused.
    ///   - isRefusal: Returns true for an error of a user which means that a value cannot be opened because there are too many.
    ///     Fewer values are kept for a while then, and the user is called once more. Defaults to no error.
    ///   - makeRoomElsewhere: Called after a refusal if the set has no other value. Does nothing by default.
    ///   - now: The current instant. Defaults to the system's clock.
    ///   - close: Closes a value. It is called once for each.
    package init(
        capacity: Int,
        maximumShare: Int? = nil,
        maximumOpenings: Int? = nil,
        replacementPause: Duration? = nil,
        replacementBurst: Int = 1,
        openingPatience: Duration = .milliseconds(250),
        patience: Duration = .seconds(2),
        maximumWaiters: Int = 1024,
        isRefusal: @escaping @Sendable (any Error) -> Bool = { _ in false },
        makeRoomElsewhere: @escaping @Sendable () async -> Void = {},
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        close: @escaping @Sendable (Value) async -> Void
    ) {
        state = Locked(
            CacheSlots(
                capacity: capacity,
                maximumShare: maximumShare,
                maximumOpenings: maximumOpenings,
                replacementPause: replacementPause,
                replacementBurst: replacementBurst
            )
        )
        boundsOpenings = maximumOpenings != nil
        self.openingPatience = openingPatience
        self.patience = patience
        self.maximumWaiters = maximumWaiters
        self.isRefusal = isRefusal
        self.makeRoomElsewhere = makeRoomElsewhere
        self.now = now
        self.close = close
    }

    /// The number of values.
    package var count: Int { state.withLock { $0.entries.count } }

    /// All values.
    var values: [Value] { state.withLock { $0.entries.values.map(\.value) } }

    /// The number of callers that wait for a slot.
    package var waitingCount: Int { state.withLock { $0.queue.count } }

    /// The maximum number of values at this moment, which is lower for a while after a refusal.
    package var limit: Int { state.withLock { $0.limit(at: now()) } }

    /// Lends the value of a key while `body` runs.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - owner: The owner that the value belongs to. Defaults to `nil`, an owner like any other.
    ///   - make: Creates the value.
    ///   - body: The user. It is called again after an error that is a refusal, while there is time.
    /// - Returns: The value that `body` returned.
    /// - Throws: `capacityExceeded` if no slot became free in time or too many callers wait, `CancellationError` if the
    ///   task was cancelled while it waited, and the errors of `make` and `body`.
    package func withValue<T>(
        _ key: Key,
        of owner: UUID? = nil,
        make: () throws -> Value,
        _ body: (Value) async throws -> T
    ) async throws -> T {
        var entry: Entry
        var alarm: Task<Void, any Error>?
        if let shared = share(key) {
            entry = shared
        } else {
            entry = try await lease(key, owner, make)
            alarm = openingAlarm(entry)
        }
        var end: ContinuousClock.Instant?
        while true {
            do {
                let result = try await body(entry.value)
                alarm?.cancel()
                await release(entry)
                return result
            } catch {
                alarm?.cancel()
                await release(entry)
                let now = ContinuousClock.now
                let limit = end ?? now + PostgresDeadline.limit(patience)
                guard isRefusal(error), now < limit else { throw error }
                end = limit
            }
            await giveUp(entry)
            if count == 0 { await makeRoomElsewhere() }
            try await Task.sleep(for: Self.pause)
            entry = try await lease(key, owner, make)
            alarm = openingAlarm(entry)
        }
    }

    /// Lets the owner of a value that takes long to open go on with the next one.
    private func openingAlarm(_ entry: Entry) -> Task<Void, any Error>? {
        guard boundsOpenings, entry.counts.withLock({ $0.isOpening }) else { return nil }
        return Task { [openingPatience] in
            try await Task.sleep(for: openingPatience)
            guard entry.endOpening() else { return }
            noteOpened(entry)
        }
    }

    private func noteOpened(_ entry: Entry) {
        state.withLock { $0.endOpening(of: entry.owner) }
        serveQueue()
    }

    /// Removes a value that was refused, and keeps only as many as there are now, for a while.
    private func giveUp(_ entry: Entry) async {
        let isIdle = state.withLock { state in
            guard state.entries[entry.key] === entry else { return false }
            remove(entry, &state)
            state.lowerLimit(at: now())
            return entry.end()
        }
        if isIdle { await close(entry.value) }
    }

    /// Returns true if a key has no value, and another value would be closed to create it.
    package func wouldReplace(_ key: Key) -> Bool {
        state.withLock { $0.entries[key] == nil && !$0.hasFreeSlot(at: now()) }
    }

    /// Closes the value that was unused for longest, of the owner that has the most, so that somebody else can open something.
    ///
    /// - Returns: False if every value is in use.
    @discardableResult
    package func makeRoom() async -> Bool {
        let evicted: Entry? = state.withLock { state in
            while let entry = state.mostDispensable(where: { _ in true }) {
                guard entry.closeIfIdle() else { continue }
                remove(entry, &state)
                state.lowerLimit(at: now())
                return entry
            }
            return nil
        }
        guard let evicted else { return false }
        await close(evicted.value)
        return true
    }

    /// Closes the values that nobody has used since the last call.
    package func closeUnused() async {
        let unused = state.withLock { state in
            let mark = state.mark
            state.mark = uses.load(ordering: .relaxed)
            let unused = state.entries.values.filter { $0.closeIfIdle(unusedSince: mark) }
            for entry in unused { remove(entry, &state) }
            return unused
        }
        for entry in unused { await close(entry.value) }
        serveQueue()
    }

    /// Changes the maximum number of values.
    ///
    /// Values beyond it are closed as soon as nobody uses them.
    package func setCapacity(_ capacity: Int) async {
        let excess = state.withLock { state in
            state.capacity = max(1, capacity)
            var excess: [Entry] = []
            while state.used > state.capacity, let entry = state.mostDispensable(where: { _ in true }) {
                guard entry.closeIfIdle() else { continue }
                remove(entry, &state)
                excess.append(entry)
            }
            return excess
        }
        for entry in excess { await close(entry.value) }
        serveQueue()
    }

    /// Removes a key's value.
    ///
    /// It is closed as soon as nobody uses it.
    package func remove(_ key: Key) async {
        let idle: Entry? = state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            remove(entry, &state)
            return entry.end() ? entry : nil
        }
        if let idle { await close(idle.value) }
        serveQueue()
    }

    /// Refuses new users and closes every value, including those in use.
    package func shutdown() async {
        let (entries, waiting) = state.withLock { state in
            known.updateAll { $0 = [:] }
            return state.shutDown()
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
        TenancyError(.capacityExceeded, "all connections of this node, or all places for such work, are in use")
    }

    private var nextUse: UInt64 { uses.add(1, ordering: .relaxed).newValue }

    /// Returns the value of a key that this thread has used before, with one more user.
    private func share(_ key: Key) -> Entry? {
        let entry: Entry? = known.withCurrent { $0[key] }
        guard let entry, entry.acquire(nextUse) else { return nil }
        return entry
    }

    private func lease(_ key: Key, _ owner: UUID?, _ make: () throws -> Value) async throws -> Entry {
        var decisions: Decisions = []
        defer { carryOut(decisions) }
        switch try state.withLock({ state in try ask(key, owner, make, &state, &decisions) }) {
        case .granted(let entry): return entry
        case .replacing(let evicted, let created):
            await close(evicted.value)
            let entry = try take(key, owner, { created })
            if entry !== created { await close(created.value) }
            return entry
        case .wait(let ticket, let unneeded):
            carryOut(decisions)
            decisions = []
            if let unneeded { await close(unneeded.value) }
            switch try await wait(ticket) {
            case .value(let entry): return entry
            case .slot(let evicted):
                if let evicted { await close(evicted.value) }
                return try take(key, owner) { Entry(key, owner, try make()) }
            }
        }
    }

    /// Returns the present value of a key, with one more user.
    private func present(_ key: Key, _ state: inout CacheSlots<Key, Value>) -> Entry? {
        guard let entry = state.entries[key], entry.acquire(nextUse) else { return nil }
        known.withCurrent { $0[key] = entry }
        return entry
    }

    /// Lends the present value, creates one if there is a slot, or joins the queue.
    private func ask(
        _ key: Key,
        _ owner: UUID?,
        _ make: () throws -> Value,
        _ state: inout CacheSlots<Key, Value>,
        _ decisions: inout Decisions
    ) throws -> Lease {
        guard !state.isShutDown else { throw Self.shutDown }
        if let entry = present(key, &state) { return .granted(entry) }
        waiters.add(1, ordering: .relaxed)
        var isWaiting = false
        defer { if !isWaiting { waiters.subtract(1, ordering: .relaxed) } }
        var created: Entry?
        while let slot = state.slot(for: owner, at: now()) {
            // Nobody overtakes a caller of their own owner, or of one that has no more.
            if let first = state.waiting(before: owner, for: slot, at: now()) {
                grant(slot, to: first, &state, &decisions)
                continue
            }
            // Before anything is evicted: nothing makes room for a value that cannot be created.
            let entry = try created ?? Entry(key, owner, make())
            created = entry
            // False if a thread has begun to use the value meanwhile.
            guard let evicted = clear(slot, &state) else { continue }
            if let evicted {
                state.reserve(for: owner)
                beginPause(of: owner, &state)
                return .replacing(evicted, with: entry)
            }
            put(entry, &state, &decisions)
            return .granted(entry)
        }
        if state.queue.count >= maximumWaiters {
            guard let last = state.queue.removeLast(ofMoreThan: state.queue.count(of: owner)) else { throw Self.full }
            decisions.append((last, .failure(Self.full)))
        }
        isWaiting = true
        return .wait(state.queue.join(owner, for: key), unneeded: created)
    }

    /// Evicts the value of a slot, which the caller then closes.
    ///
    /// - Returns: The slot's former value, or `.some(nil)` for a free slot; `nil` if somebody uses the value now.
    private func clear(_ slot: CacheSlots<Key, Value>.Slot, _ state: inout CacheSlots<Key, Value>) -> Entry?? {
        switch slot {
        case .free: return .some(nil)
        case .occupied(let entry):
            guard entry.closeIfIdle() else { return nil }
            remove(entry, &state)
            return .some(entry)
        }
    }

    private func remove(_ entry: Entry, _ state: inout CacheSlots<Key, Value>) {
        state.remove(entry)
        known.updateAll { $0[entry.key] = nil }
    }

    /// Adds a value with its first user, and lends it to the callers that wait for it.
    private func put(_ entry: Entry, _ state: inout CacheSlots<Key, Value>, _ decisions: inout Decisions) {
        _ = entry.acquire(nextUse)
        state.add(entry)
        known.withCurrent { $0[entry.key] = entry }
        for ticket in state.queue.removeAll(for: entry.key) {
            _ = entry.acquire(nextUse)
            decisions.append((ticket, .success(.value(entry))))
        }
    }

    /// Takes the slot that is reserved for the caller.
    ///
    /// Another caller can have created the same value meanwhile.
    private func take(_ key: Key, _ owner: UUID?, _ make: () throws -> Entry) throws -> Entry {
        var decisions: Decisions = []
        // A slot that is not needed, or that no value could be created for, goes to the next caller.
        defer {
            carryOut(decisions)
            serveQueue()
        }
        return try state.withLock { state in
            guard !state.isShutDown else { throw Self.shutDown }
            state.endReservation(of: owner)
            if let entry = present(key, &state) { return entry }
            let entry = try make()
            put(entry, &state, &decisions)
            return entry
        }
    }

    private func release(_ entry: Entry) async {
        let (isIdle, isLast, wasOpening) = entry.counts.withLock { counts in
            counts.users -= 1
            let wasOpening = counts.isOpening
            counts.isOpening = false
            guard counts.users == 0, counts.phase == .removed else { return (counts.users == 0, false, wasOpening) }
            counts.phase = .closed
            return (true, true, wasOpening)
        }
        if isLast { await close(entry.value) }
        if wasOpening {
            noteOpened(entry)
        } else if isIdle, !isLast, waiters.load(ordering: .relaxed) > 0 {
            offer(entry)
        }
    }

    // MARK: Waiting

    private func wait(_ ticket: Queue.Ticket) async throws -> Queue.Grant {
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
    private func giveUp(_ ticket: Queue.Ticket, _ error: any Error) {
        if state.withLock({ $0.queue.leave(ticket) }) { ticket.finish(.failure(error)) }
    }

    /// Offers the slot of a value that nobody uses any more to the callers that wait.
    private func offer(_ entry: Entry) {
        var decisions: Decisions = []
        state.withLock { state in
            guard state.entries[entry.key] === entry,
                let owner = state.waiting(for: .occupied(entry), at: now())
            else { return }
            grant(.occupied(entry), to: owner, &state, &decisions)
        }
        carryOut(decisions)
    }

    /// Grants slots, free ones and those of values that nobody uses, to the callers whose turn it is.
    private func serveQueue() {
        guard waiters.load(ordering: .relaxed) > 0 else { return }
        var decisions: Decisions = []
        state.withLock { state in
            while let (owner, slot) = state.turn(at: now()) { grant(slot, to: owner, &state, &decisions) }
        }
        carryOut(decisions)
    }

    /// Grants a slot to the first waiting caller of an owner, unless somebody uses its value now.
    private func grant(
        _ slot: CacheSlots<Key, Value>.Slot,
        to owner: UUID?,
        _ state: inout CacheSlots<Key, Value>,
        _ decisions: inout Decisions
    ) {
        guard let evicted = clear(slot, &state), let ticket = state.queue.removeFirst(of: owner) else { return }
        state.reserve(for: owner)
        if evicted != nil { beginPause(of: owner, &state) }
        decisions.append((ticket, .success(.slot(evicted: evicted))))
    }

    /// Lets an owner pause that replaces a value, unless it can replace the next one now.
    ///
    /// Its callers that wait are served at the end.
    private func beginPause(of owner: UUID?, _ state: inout CacheSlots<Key, Value>) {
        guard let length = state.beginPause(of: owner, at: now()) else { return }
        Task {
            try? await Task.sleep(for: length)
            serveQueue()
        }
    }

    private func carryOut(_ decisions: Decisions) {
        for (ticket, result) in decisions { ticket.finish(result) }
    }
}
