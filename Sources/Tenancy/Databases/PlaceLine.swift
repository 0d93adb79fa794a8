import Synchronization

/// Callers who wait for a place, in the order of coming.
///
/// A value: whoever has it guards it.
struct PlaceLine<Evicted: Sendable> {
    /// One caller's wait, which ends once.
    final class Ticket: Sendable {
        private enum State {
            case untouched
            case waiting(CheckedContinuation<Evicted?, any Error>)
            case finished(Result<Evicted?, any Error>)
        }

        fileprivate let number: UInt64
        private let state = Mutex(State.untouched)

        fileprivate init(_ number: UInt64) { self.number = number }

        /// What had to leave for the place, once there is one; called once.
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

        /// Ends the wait; called by whoever took the ticket out of the line.
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

    /// Stands at the end.
    mutating func join() -> Ticket {
        last += 1
        let ticket = Ticket(last)
        tickets.append(ticket)
        return ticket
    }

    /// The one who has waited longest.
    mutating func removeFirst() -> Ticket? { tickets.isEmpty ? nil : tickets.removeFirst() }

    /// Goes away.
    ///
    /// - Returns: false when the ticket is not in the line any more.
    mutating func leave(_ ticket: Ticket) -> Bool {
        guard let index = tickets.firstIndex(where: { $0.number == ticket.number }) else { return false }
        tickets.remove(at: index)
        return true
    }

    /// Sends everybody away.
    mutating func removeAll() -> [Ticket] {
        defer { tickets = [] }
        return tickets
    }
}
