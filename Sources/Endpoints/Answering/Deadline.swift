/// Runs an operation for at most `limit`.
///
/// At the deadline the operation is cancelled. The function then waits for its end, so that no work goes on after the answer. If
/// the operation succeeds after the deadline, its result counts, because the client must be told what happened.
///
/// - Throws: `Problem.deadlineExceeded` at the deadline, `CancellationError` if the task is cancelled, or the operation's error.
package func withDeadline<Value: Sendable>(
    _ limit: Duration,
    clock: any Clock<Duration>,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            // The group cancels the sleep when the operation ends.
            try? await clock.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw Problem.internalError }
        if let value = first { return value }
        if Task.isCancelled { throw CancellationError() }
        group.cancelAll()
        guard let late = await group.nextResult(), case .success(let value?) = late else {
            throw Problem.deadlineExceeded
        }
        return value
    }
}
