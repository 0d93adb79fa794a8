import Locks

/// The short rounds in which tasks wait for a lease.
///
/// Any number of tasks share a round, so a thousand verifications that wait cost one timer.
final class LeaseWaits: Sendable {
    private static let length = Duration.milliseconds(5)

    private let current = Locked<Task<Void, Never>?>(nil)

    /// Waits for the end of a round.
    func round() async {
        let round = current.withLock { current in
            if let current { return current }
            let round = Task { [self] in
                try? await Task.sleep(for: Self.length)
                self.current.withLock { $0 = nil }
            }
            current = round
            return round
        }
        await round.value
    }
}
