import MortiseClient

/// The examples in `PageSequence.swift`.
enum AnswersPageSequenceExamples {
    static func example1(_ client: Mortise) async throws {
        let page = try await client.workspaces.list(limit: 20).firstPage()
        print(page.items.count, page.next ?? "that is all")
    }

    static func example2(_ client: Mortise) async throws {
        for try await workspace in client.workspaces.list() {
            print(workspace.slug)
        }
    }

    static func example3(_ client: Mortise) async throws {
        let newest = try await client.keys(.service(workspace: "shop")).list(limit: 5).firstPage().items
        print(newest.map(\.name))
    }

    static func example4(_ client: Mortise) async throws {
        let workspaces = try await client.workspaces.list().all()
        print(workspaces.count)
    }
}
