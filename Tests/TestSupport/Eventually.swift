/// An error of `eventually`: the condition did not hold in time.
public struct NeverHappened: Error, CustomStringConvertible {
    /// The event that the test waited for.
    public let what: String
    /// The event in a sentence.
    public var description: String { "did not happen in time: \(what)" }
}

/// Checks a condition again and again until it holds.
///
/// It is for events in other processes and tasks.
///
/// - Parameters:
///   - what: The event, for the error.
///   - limit: The longest wait, in machine time (`MachineClock`). It is generous, because a test that works never uses it up.
///   - condition: Returns true once the event has happened.
/// - Throws: `NeverHappened`, or the errors of `condition`. `CancellationError` when the task is cancelled.
public func eventually(
    _ what: String,
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws {
    try await waiting(for: what) {
        let end = MachineClock.shared.now.advanced(by: limit)
        while try await !condition() {
            guard MachineClock.shared.now < end else { throw NeverHappened(what: what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
