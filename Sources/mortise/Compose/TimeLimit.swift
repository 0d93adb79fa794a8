/// Does some work that may take no longer than `limit`; what takes longer is cancelled and waited for.
///
/// - Returns: what the work returns, or `nil` when the time was up.
func withTimeLimit<Value: Sendable>(
    _ limit: Duration,
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            // Cancelled as soon as the work has ended.
            try? await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
