import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Lists through the Boltz surface: pages and filters.
@Suite(.hangLimit) struct BoltzListTests {
    private func list(
        _ mortise: ServerHarness,
        _ query: String,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let path = "\(ServerHarness.boltzKeys)?\(query)"
        let answer = try await mortise.boltz("GET", path, as: mortise.adminToken, at: location)
        let ids = Self.ids(answer)
        #expect(answer["first_id"]?.string == ids.first, "\(answer)", sourceLocation: location)
        #expect(answer["last_id"]?.string == ids.last, "\(answer)", sourceLocation: location)
        return answer
    }

    private static func ids(_ answer: Answer) -> [String] {
        (answer["data"]?.array ?? []).compactMap { $0["id"]?.string }
    }

    @Test(arguments: [false, true])
    func `a page has the keys next to its cursors, newest first, and tells if there are more`(_ isFiltered: Bool)
        async throws
    {
        try await withMortise { mortise in
            for _ in 0..<6 { _ = try await mortise.makeBoltzKey() }
            let workspace = ServerHarness.boltzWorkspace(try await mortise.defaultWorkspaceID())
            let filter = isFiltered ? "&workspace_id=\(workspace)" : ""
            let all = Self.ids(try await list(mortise, filter)).prefix(6)
            let times = try await list(mortise, filter)["data"]?.array?.compactMap { $0["created_at"]?.string } ?? []
            #expect(all.count == 6 && times == times.sorted(by: >))
            // The list of the organization also has its first admin key.
            let isMore = !isFiltered
            let cases: [(String, Range<Int>, Bool)] = [
                ("limit=2", 0..<2, true), ("limit=6", 0..<6, isMore), ("limit=2&after_id=\(all[1])", 2..<4, true),
                ("limit=3&after_id=\(all[2])", 3..<6, isMore), ("limit=2&before_id=\(all[4])", 2..<4, true),
                ("limit=4&before_id=\(all[4])", 0..<4, false), ("limit=9&before_id=\(all[1])", 0..<1, false),
                ("before_id=\(all[0])", 0..<0, false), ("after_id=\(all[0])&before_id=\(all[4])", 1..<4, false),
                ("limit=2&after_id=\(all[0])&before_id=\(all[4])", 2..<4, true),
                ("limit=3&after_id=\(all[1])&before_id=\(all[4])", 2..<4, false),
            ]
            for (query, range, hasMore) in cases {
                let page = try await list(mortise, query + filter)
                #expect(Self.ids(page) == Array(all[range]), "\(query): \(page)")
                #expect(page["has_more"] == .bool(hasMore), "\(query): \(page)")
            }
        }
    }

    @Test func `a list has the keys of all workspaces, including archived ones, or of one workspace`()
        async throws
    {
        try await withMortise { mortise in
            let other = ServerHarness.boltzWorkspace(try await mortise.makeWorkspace("Other"))
            let home = ServerHarness.boltzWorkspace(try await mortise.defaultWorkspaceID())
            let here = try await mortise.makeBoltzKey()
            let there = try await mortise.makeBoltzKey(["workspace_id": .string(other)])
            let archived = try await mortise.boltz(
                "POST",
                "\(ServerHarness.boltzWorkspaces)/\(other)/archive",
                as: mortise.adminToken
            )
            #expect(archived.status == 200)
            let whole = try await list(mortise, "")
            #expect(Self.ids(whole).prefix(2) == [there.id, here.id], "\(whole)")
            #expect(Self.ids(try await list(mortise, "workspace_id=\(other)")) == [there.id])
            #expect(Self.ids(try await list(mortise, "workspace_id=\(home)")) == [here.id])
            for (key, workspace, isActive) in [(there, other, false), (here, home, true)] {
                let shown = try await mortise.boltzKey(key.id)
                #expect(shown["workspace_id"] == .string(workspace) && shown["key_type"] == "workspace", "\(shown)")
                #expect(shown["is_active"] == .bool(isActive))
                #expect(try await (mortise.verdict(key.token) == "valid") == isActive)
            }
        }
    }
}
