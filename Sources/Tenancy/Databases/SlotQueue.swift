import FoundationEssentials
import Locks
import Postgres

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
        private let state = Locked(State.untouched)

        fileprivate init(_ key: Key, _ owner: UUID?) {
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

    private var tickets = FairQueue<UUID?, Ticket>()

    var count: Int { tickets.count }
    var isEmpty: Bool { tickets.isEmpty }

    /// The number of an owner's tickets.
    func count(of owner: UUID?) -> Int { tickets.count(of: owner) }

    /// Adds a ticket at the end.
    mutating func join(_ owner: UUID?, for key: Key) -> Ticket {
        let ticket = Ticket(key, owner)
        tickets.append(ticket, of: owner)
        return ticket
    }

    /// Returns the owner whose turn it is: the one with the smallest share, and among several the one whose turn is first.
    ///
    /// - Parameters:
    ///   - share: Returns the number of an owner's slots.
    ///   - isEligible: Returns false for an owner that cannot have the slot in question.
    /// - Returns: The owner, or `.none` if no ticket is eligible.
    func next(share: (UUID?) -> Int, where isEligible: (UUID?) -> Bool) -> UUID?? {
        tickets.next { isEligible($0) ? share($0) : nil }
    }

    /// Removes and returns the ticket of an owner that has waited longest.
    mutating func removeFirst(of owner: UUID?) -> Ticket? { tickets.removeFirst(of: owner) }

    /// Removes and returns the latest ticket of the owner that has the most, if those are more than `number`.
    mutating func removeLast(ofMoreThan number: Int) -> Ticket? { tickets.removeLast(ofMoreThan: number) }

    /// Removes a ticket.
    ///
    /// - Returns: False if the queue does not contain the ticket any more.
    mutating func leave(_ ticket: Ticket) -> Bool {
        tickets.removeFirst(of: ticket.owner) { $0 === ticket } != nil
    }

    /// Removes and returns the tickets of the callers that wait for the value of a key.
    mutating func removeAll(for key: Key) -> [Ticket] { tickets.removeAll { $0.key == key } }

    /// Removes and returns all tickets.
    mutating func removeAll() -> [Ticket] { tickets.removeAll() }
}
