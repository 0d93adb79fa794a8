import Locks

/// The queue of callers that wait for a slot.
///
/// A value: its owner guards it.
struct SlotQueue<Evicted: Sendable> {
    /// The wait of one caller, which ends once.
    final class Ticket: Sendable {
        private enum State {
            case untouched
            case waiting(CheckedContinuation<Evicted?, any Error>)
            case finished(Result<Evicted?, any Error>)
        }

        fileprivate let number: UInt64
        private let state = Locked(State.untouched)

        fileprivate init(_ number: UInt64) { self.number = number }

        /// Waits for a slot, and returns what was evicted from it.
        ///
        /// It is called once.
        func value() async throws -> Evicted? {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Evicted?, any Error>? = self.state.withLock { state in
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
        func finish(_ result: Result<Evicted?, any Error>) {
            let continuation: CheckedContinuation<Evicted?, any Error>? = self.state.withLock { state in
                defer { state = .finished(result) }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            continuation?.resume(with: result)
        }
    }

    private var tickets: [Ticket] = []
    private var last: UInt64 = 0

    var isEmpty: Bool { tickets.isEmpty }
    var count: Int { tickets.count }

    /// Adds a ticket at the end.
    mutating func join() -> Ticket {
        last += 1
        let ticket = Ticket(last)
        tickets.append(ticket)
        return ticket
    }

    /// Removes and returns the ticket that has waited longest.
    mutating func removeFirst() -> Ticket? { tickets.isEmpty ? nil : tickets.removeFirst() }

    /// Removes a ticket.
    ///
    /// - Returns: False if the queue does not contain the ticket any more.
    mutating func leave(_ ticket: Ticket) -> Bool {
        guard let index = tickets.firstIndex(where: { $0.number == ticket.number }) else { return false }
        tickets.remove(at: index)
        return true
    }

    /// Removes and returns all tickets.
    mutating func removeAll() -> [Ticket] {
        defer { tickets = [] }
        return tickets
    }
}
