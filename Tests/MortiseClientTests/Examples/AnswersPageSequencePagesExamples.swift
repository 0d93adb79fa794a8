import MortiseClient

/// The examples in `PageSequence+Pages.swift`.
enum AnswersPageSequencePagesExamples {
    static func example1(_ client: Mortise) async throws {
        let list = client.workspaces.list(limit: 20)
        let first = try await list.firstPage()
        if let cursor = first.next {
            let second = try await list.page(at: cursor)
            print(second.items.count)
        }
    }
}
