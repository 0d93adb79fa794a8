/// Does work that must end within a time limit.
///
/// Work that takes longer is cancelled, and its end is awaited.
///
/// - Returns: The value that the work returns. `nil` if the time limit was reached.
func withTimeLimit<Value: Sendable>(
    _ limit: Duration,
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            // The sleep is cancelled as soon as the work has ended.
            try? await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
