import FoundationEssentials
import Locks

/// The slots of a `LeasedCache`: their values, their number, and the callers that wait for one.
///
/// A value without I/O: the cache guards it.
///
/// An owner without a slot can have that of any idle value. An owner with slots can have those of its own idle values, and those
/// of an owner that has at least two more. So no owner takes a slot from one that has no more, and two owners never take the
/// same slot from each other in turns. No owner has more slots than its maximum share, because a value that is always in use never
/// makes room.
///
/// Opening a value can be work for the whole machine, so an owner opens a few at once. Its other callers wait. An owner that uses more values
/// than it can have opens one for nearly each call, and goes on for as long as it likes. So it pauses between two values that take the place
/// of others, after a few of them, and each of them serves all callers that came meanwhile. An owner that has all values disturbs nobody, and
/// does not pause.
struct CacheSlots<Key: Hashable & Sendable, Value: Sendable> {
    typealias Entry = LeasedEntry<Key, Value>

    /// A slot for a value.
    enum Slot {
        case free
        /// The slot of a value that nobody used when it was found.
        case occupied(Entry)
    }

    /// The time for which fewer values are kept after a refusal.
    static var caution: Duration { .seconds(5) }

    private(set) var entries: [Key: Entry] = [:]
    var queue = SlotQueue<Key, Entry>()
    /// The maximum number of values.
    var capacity: Int
    /// The maximum number of slots of one owner; `nil` if an owner can have all of them.
    let maximumShare: Int?
    /// The maximum number of values of one owner that are being opened; `nil` if all of them can be.
    let maximumOpenings: Int?
    /// The time between two values of one owner that take the place of others; `nil` for none.
    let replacementPause: Duration?
    /// The number of such values that an owner opens without a pause after a time without them.
    let replacementBurst: Int
    /// The number of uses at the last search for unused values.
    var mark: UInt64 = 0
    private(set) var isShutDown = false
    /// The number of slots of each owner that has some, granted ones that are not taken yet included.
    private var shares: [UUID?: Int] = [:]
    /// The number of values that each owner is opening, granted slots that are not taken yet included.
    private var openings: [UUID?: Int] = [:]
    /// The instants at which the pauses of owners for all that they replaced will be over, one pause after the other.
    private var pauses: [UUID?: ContinuousClock.Instant] = [:]
    /// The number of slots that were granted to callers who have not taken them yet.
    private var reserved = 0
    /// The number of values that a server allowed, and the instant until which it counts.
    private var allowed: (number: Int, until: ContinuousClock.Instant)?

    init(
        capacity: Int,
        maximumShare: Int? = nil,
        maximumOpenings: Int? = nil,
        replacementPause: Duration? = nil,
        replacementBurst: Int = 1
    ) {
        self.capacity = max(1, capacity)
        self.maximumShare = maximumShare.map { max(1, $0) }
        self.maximumOpenings = maximumOpenings.map { max(1, $0) }
        self.replacementPause = replacementPause
        self.replacementBurst = max(1, replacementBurst)
    }

    // MARK: Numbers

    /// The number of slots that are not free.
    var used: Int { entries.count + reserved }

    func share(of owner: UUID?) -> Int { shares[owner] ?? 0 }

    func limit(at now: ContinuousClock.Instant) -> Int {
        guard let allowed, now < allowed.until else { return capacity }
        return min(capacity, allowed.number)
    }

    func hasFreeSlot(at now: ContinuousClock.Instant) -> Bool { used < limit(at: now) }

    /// Keeps no more values than there are, for a while.
    mutating func lowerLimit(at now: ContinuousClock.Instant) {
        allowed = (max(1, entries.count), now + Self.caution)
    }

    // MARK: Fairness

    /// Returns true if an owner can have one more slot.
    private func canGrow(_ owner: UUID?) -> Bool { maximumShare.map { share(of: owner) < $0 } ?? true }

    /// Returns true if an owner can open one more value now.
    private func canOpen(_ owner: UUID?) -> Bool { maximumOpenings.map { (openings[owner] ?? 0) < $0 } ?? true }

    /// Returns true if an owner can replace a value now.
    private func canReplace(_ owner: UUID?, at now: ContinuousClock.Instant) -> Bool {
        remainingPause(of: owner, at: now) <= .zero
    }

    /// Returns the time after which an owner can replace a value; zero or less if it can now.
    private func remainingPause(of owner: UUID?, at now: ContinuousClock.Instant) -> Duration {
        guard let replacementPause, let end = pauses[owner] else { return .zero }
        return end - now - replacementPause * (replacementBurst - 1)
    }

    /// Returns true if an owner can have the slot of an idle value of another.
    private func canHave(_ owner: UUID?, from other: UUID?) -> Bool {
        if owner == other { return true }
        let own = share(of: owner)
        return own == 0 || share(of: other) > own + 1 && canGrow(owner)
    }

    private func canHave(_ owner: UUID?, _ slot: Slot, at now: ContinuousClock.Instant) -> Bool {
        guard canOpen(owner) else { return false }
        return switch slot {
        case .free: canGrow(owner)
        case .occupied(let entry): canReplace(owner, at: now) && canHave(owner, from: entry.owner)
        }
    }

    /// Returns a free slot, or that of the idle value that an owner's new value can replace; `nil` if there is none.
    func slot(for owner: UUID?, at now: ContinuousClock.Instant) -> Slot? {
        guard canOpen(owner) else { return nil }
        if hasFreeSlot(at: now), canGrow(owner) { return .free }
        guard canReplace(owner, at: now) else { return nil }
        return mostDispensable { canHave(owner, from: $0) }.map { .occupied($0) }
    }

    /// Returns the idle value that was unused for longest, of the owner that has the most slots among those that qualify.
    func mostDispensable(where qualifies: (UUID?) -> Bool) -> Entry? {
        var best: (entry: Entry, share: Int, lastUse: UInt64)?
        for entry in entries.values where qualifies(entry.owner) {
            let counts = entry.counts.withLock { $0 }
            guard counts.users == 0, counts.phase == .open else { continue }
            let share = share(of: entry.owner)
            if let best, (share, best.lastUse) <= (best.share, counts.lastUse) { continue }
            best = (entry, share, counts.lastUse)
        }
        return best?.entry
    }

    /// Returns the waiting owner that a slot goes to, if there is one.
    func waiting(for slot: Slot, at now: ContinuousClock.Instant) -> UUID?? {
        queue.next(share: { share(of: $0) }, where: { canHave($0, slot, at: now) })
    }

    /// Returns the waiting owner whose turn it is among those that can have a slot now, and the slot.
    func turn(at now: ContinuousClock.Instant) -> (owner: UUID?, slot: Slot)? {
        if hasFreeSlot(at: now), let owner = waiting(for: .free, at: now) { return (owner, .free) }
        let idle = Set(entries.values.filter(\.isIdle).map(\.owner))
        guard !idle.isEmpty else { return nil }
        let owner = queue.next(
            share: { share(of: $0) },
            where: { owner in
                canOpen(owner) && canReplace(owner, at: now) && idle.contains { canHave(owner, from: $0) }
            }
        )
        guard let owner, let entry = mostDispensable(where: { canHave(owner, from: $0) }) else { return nil }
        return (owner, .occupied(entry))
    }

    /// Returns the waiting owner that a slot goes to before a new caller gets it, if there is one.
    func waiting(before owner: UUID?, for slot: Slot, at now: ContinuousClock.Instant) -> UUID?? {
        guard !queue.isEmpty else { return .none }
        let own = share(of: owner)
        return queue.next(
            share: { share(of: $0) },
            where: { ($0 == owner || share(of: $0) <= own) && canHave($0, slot, at: now) }
        )
    }

    // MARK: Changes

    mutating func add(_ entry: Entry) {
        entries[entry.key] = entry
        shares[entry.owner, default: 0] += 1
        openings[entry.owner, default: 0] += 1
    }

    /// Ends the opening of a value of an owner.
    mutating func endOpening(of owner: UUID?) {
        guard let count = openings[owner] else { return }
        openings[owner] = count > 1 ? count - 1 : nil
    }

    mutating func remove(_ entry: Entry) {
        guard entries.removeValue(forKey: entry.key) != nil else { return }
        shrink(entry.owner)
    }

    mutating func reserve(for owner: UUID?) {
        reserved += 1
        shares[owner, default: 0] += 1
        openings[owner, default: 0] += 1
    }

    /// Notes that a value is closed for a new one of an owner.
    ///
    /// - Returns: The time after which the owner can replace the next one; `nil` for none.
    mutating func beginPause(of owner: UUID?, at now: ContinuousClock.Instant) -> Duration? {
        guard let replacementPause, shares.keys.contains(where: { $0 != owner }) else { return nil }
        pauses = pauses.filter { $0.value > now }
        pauses[owner] = (pauses[owner] ?? now) + replacementPause
        let remaining = remainingPause(of: owner, at: now)
        return remaining > .zero ? remaining : nil
    }

    mutating func endReservation(of owner: UUID?) {
        reserved -= 1
        shrink(owner)
        endOpening(of: owner)
    }

    private mutating func shrink(_ owner: UUID?) {
        let share = share(of: owner) - 1
        shares[owner] = share == 0 ? nil : share
    }

    /// Removes everything, and refuses new users.
    mutating func shutDown() -> (entries: [Entry], waiting: [SlotQueue<Key, Entry>.Ticket]) {
        isShutDown = true
        defer { (entries, shares, openings, pauses, reserved) = ([:], [:], [:], [:], 0) }
        return (Array(entries.values), queue.removeAll())
    }
}
