/// Thrown by `eventually` when its time is over.
public struct NeverHappened: Error, CustomStringConvertible {
    /// What was waited for.
    public let what: String
    /// What was waited for, as a sentence.
    public var description: String { "did not happen in time: \(what)" }
}

/// Looks again and again until a condition holds; for what another process does in its own time.
///
/// - Parameters:
///   - what: what is waited for, for the error.
///   - limit: how long at most. Generous, because machines that run tests are slow, and a test that works never needs it.
///   - condition: looks.
/// - Throws: `NeverHappened`, or what `condition` throws.
public func eventually(
    _ what: String,
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NeverHappened(what: what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}
