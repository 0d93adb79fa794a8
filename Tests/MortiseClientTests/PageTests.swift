import HTTPTestSupport
import JSON
import Locks
import MortiseClient
import TestSupport
import Testing

/// Lists are read as far as they are used, and reading them ends.
@Suite(.hangLimit) struct PageTests {
    private let script: @Sendable (SeenRequest) -> Reply = { request in
        request.uri.contains("cursor=c2")
            ? .json(Sample.list([Sample.key])) : .json(Sample.list([Sample.key, Sample.key], next: "c2"))
    }

    @Test func `an iteration reads each page when it needs the page`() async throws {
        try await Mortise.with(script) { client, server, _ async throws in
            let list = client.keys(.operator).list(query: "a&b", status: .active, limit: 2)
            #expect(server.requests.isEmpty)
            var count = 0
            for try await key in list {
                count += 1
                #expect(key.name == "CI")
                #expect(server.requests.count == (count <= 2 ? 1 : 2))
            }
            #expect(count == 3)
            #expect(
                server.requests.map(\.uri) == [
                    "/v1/operator-keys?query=a%26b&status=active&limit=2",
                    "/v1/operator-keys?query=a%26b&status=active&limit=2&cursor=c2",
                ]
            )
            #expect(try await list.all().count == 3)
            #expect(try await list.firstPage().next == "c2")
        }
    }

    @Test func `an iteration ends if the server repeats a page`() async throws {
        try await Mortise.with({ _ in .json(Sample.list([Sample.key], next: "same")) }) {
            client,
            server,
            _ async throws in
            let error = try await #require(throws: MortiseError.self) { try await client.keys(.operator).list().all() }
            #expect(error.reason == .unexpectedAnswer)
            #expect(server.requests.count == 2)
        }
    }

    @Test func `a page can be read from the cursor of the page before it`() async throws {
        try await Mortise.with(script) { client, server, _ async throws in
            let list = client.keys(.operator).list(limit: 2)
            let first = try await list.page(at: nil)
            #expect(first.items.count == 2)
            let second = try await list.page(at: first.next)
            #expect(second.items.count == 1 && second.next == nil)
            #expect(
                server.requests.map(\.uri) == ["/v1/operator-keys?limit=2", "/v1/operator-keys?limit=2&cursor=c2"]
            )
        }
    }

    @Test func `an observer receives each answer as the server sent it, unknown members included`() async throws {
        try await Mortise.with(script) { client, _, _ async throws in
            let bodies = Locked<[String]>([])
            let observed = client.observingAnswers { body in bodies.withLock { $0.append(body.text) } }
            _ = try await observed.keys(.operator).list(limit: 2).all()
            #expect(
                bodies.withLock(\.self) == [
                    Sample.list([Sample.key, Sample.key], next: "c2"), Sample.list([Sample.key]),
                ]
            )
        }
    }

    @Test func `an iteration continues after an empty page`() async throws {
        try await Mortise.with({ request in
            request.uri.contains("cursor=c2")
                ? .json(Sample.list([Sample.key])) : .json(Sample.list([], next: "c2"))
        }) { client, _, _ async throws in
            #expect(try await client.keys(.operator).list().all().count == 1)
        }
    }

    @Test func `Boltz's pages can be read in both directions`() async throws {
        try await Mortise.with({ request in
            switch request.uri.split(separator: "?").last ?? "" {
            case "limit=2&after_id=b": .json(Sample.boltzPage(["c"], hasMore: false))
            case "limit=2&before_id=c": .json(Sample.boltzPage(["a", "b"], hasMore: true))
            case "limit=2&before_id=a": .json(Sample.boltzPage([], hasMore: false))
            default: .json(Sample.boltzPage(["a", "b"], hasMore: true))
            }
        }) { client, server, _ async throws in
            let manager = client.admin.apiKeys
            #expect(try await manager.list(limit: 2).all().map(\.id) == ["a", "b", "c"])
            #expect(try await manager.list(beforeID: "c", limit: 2).all().map(\.id) == ["a", "b"])
            #expect(server.requests.allSatisfy { $0.header("x-api-key") == [Mortise.token] })
            #expect(server.requests.allSatisfy { $0.header("authorization").isEmpty })
        }
    }
}
