/// Runs an operation that may take no longer than `limit`, and throws `Problem.deadlineExceeded` if it does.
///
/// When the time is up the operation is cancelled and waited for: nothing goes on behind the answer. If it has come to a
/// good end all the same, its result counts, since the client should know what has happened.
package func withDeadline<Value: Sendable>(
    _ limit: Duration,
    clock: any Clock<Duration>,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            // Cancelled as soon as the operation has ended.
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
