import FoundationEssentials
import Locks

/// The queue of callers that wait for a slot, each on behalf of an owner.
///
/// A value: the cache of the slots guards it.
struct SlotQueue<Key: Hashable & Sendable, Entry: Sendable> {
    /// The end of a wait.
    enum Grant: Sendable {
        /// A slot, and the value that was evicted from it.
        case slot(evicted: Entry?)
        /// The value itself, with one more user: another caller has created it meanwhile.
        case value(Entry)
    }

    /// The wait of one caller, which ends once.
    final class Ticket: Sendable {
        private enum State {
            case untouched
            case waiting(CheckedContinuation<Grant, any Error>)
            case finished(Result<Grant, any Error>)
        }

        let key: Key
        let owner: UUID?
        fileprivate let number: UInt64
        private let state = Locked(State.untouched)

        fileprivate init(_ number: UInt64, _ key: Key, _ owner: UUID?) {
            self.number = number
            self.key = key
            self.owner = owner
        }

        /// Waits for a slot or for the value.
        ///
        /// It is called once.
        func value() async throws -> Grant {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Grant, any Error>? = state.withLock { state in
                    if case .finished(let result) = state { return result }
                    state = .waiting(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        }

        /// Ends the wait.
        ///
        /// The caller has removed the ticket from the queue.
        func finish(_ result: Result<Grant, any Error>) {
            let continuation: CheckedContinuation<Grant, any Error>? = state.withLock { state in
                defer { state = .finished(result) }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            continuation?.resume(with: result)
        }
    }

    /// The tickets of each owner that has some, in the order of their arrival.
    private var tickets: [UUID?: [Ticket]] = [:]
    private var last: UInt64 = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The number of an owner's tickets.
    func count(of owner: UUID?) -> Int { tickets[owner]?.count ?? 0 }

    /// Adds a ticket at the end.
    mutating func join(_ owner: UUID?, for key: Key) -> Ticket {
        last += 1
        let ticket = Ticket(last, key, owner)
        tickets[owner, default: []].append(ticket)
        count += 1
        return ticket
    }

    /// Returns the owner whose turn it is: the one with the smallest share, and among several the one that has waited longest.
    ///
    /// - Parameters:
    ///   - share: Returns the number of an owner's slots.
    ///   - isEligible: Returns false for an owner that cannot have the slot in question.
    /// - Returns: The owner, or `.none` if no ticket is eligible.
    func next(share: (UUID?) -> Int, where isEligible: (UUID?) -> Bool) -> UUID?? {
        var best: (owner: UUID?, share: Int, number: UInt64)?
        for (owner, tickets) in tickets where isEligible(owner) {
            let (share, number) = (share(owner), tickets[0].number)
            if let best, (best.share, best.number) < (share, number) { continue }
            best = (owner, share, number)
        }
        return best.map(\.owner)
    }

    /// Removes and returns the ticket of an owner that has waited longest.
    mutating func removeFirst(of owner: UUID?) -> Ticket? {
        remove(of: owner) { _ in 0 }
    }

    /// Removes and returns the latest ticket of the owner that has the most, if those are more than `number`.
    mutating func removeLast(ofMoreThan number: Int) -> Ticket? {
        guard let longest = tickets.max(by: { $0.value.count < $1.value.count }), longest.value.count > number
        else { return nil }
        return remove(of: longest.key) { $0.count - 1 }
    }

    /// Removes a ticket.
    ///
    /// - Returns: False if the queue does not contain the ticket any more.
    mutating func leave(_ ticket: Ticket) -> Bool {
        remove(of: ticket.owner) { tickets in tickets.firstIndex { $0 === ticket } } != nil
    }

    /// Removes and returns the tickets of the callers that wait for the value of a key.
    mutating func removeAll(for key: Key) -> [Ticket] {
        var found: [Ticket] = []
        for (owner, own) in tickets {
            let others = own.filter { $0.key != key }
            guard others.count < own.count else { continue }
            found += own.filter { $0.key == key }
            tickets[owner] = others.isEmpty ? nil : others
        }
        count -= found.count
        return found
    }

    /// Removes and returns all tickets.
    mutating func removeAll() -> [Ticket] {
        defer { (tickets, count) = ([:], 0) }
        return tickets.values.flatMap(\.self)
    }

    private mutating func remove(of owner: UUID?, at index: ([Ticket]) -> Int?) -> Ticket? {
        guard var own = tickets[owner], let index = index(own) else { return nil }
        let ticket = own.remove(at: index)
        tickets[owner] = own.isEmpty ? nil : own
        count -= 1
        return ticket
    }
}
