/// Does work for each item, a bounded number of items at once.
///
/// A failure does not stop the others.
///
/// - Returns: The errors, by the position of their items.
func collectFailures<Item: Sendable>(
    of items: [Item],
    atOnce limit: Int,
    _ work: @escaping @Sendable (Item) async throws -> Void
) async -> [Int: any Error] {
    await withTaskGroup(of: (Int, (any Error)?).self) { group in
        var failures: [Int: any Error] = [:]
        for (position, item) in items.enumerated() {
            if position >= limit, let (done, error) = await group.next() { failures[done] = error }
            if Task.isCancelled { break }
            group.addTask {
                do {
                    try await work(item)
                    return (position, nil)
                } catch {
                    return (position, error)
                }
            }
        }
        for await (done, error) in group { failures[done] = error }
        return failures
    }
}
