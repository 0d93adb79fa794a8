import FoundationEssentials
import MortiseClient

/// The examples in `Mortise.swift`.
enum ClientMortiseExamples {
    static func example1() async throws {
        let client = Mortise(
            url: try ServerURL("https://keys.example.com"),
            credential: .token(SecretToken("mka_live_…"))
        )
        let issued = try await client.keys(.service(workspace: "default")).create(Mortise.KeyDraft(name: "CI"))
        try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    }

    static func example2() throws {
        let client = Mortise(url: try ServerURL("http://127.0.0.1:8080"), credential: nil)
        print(client.url.text)
    }

    static func example3(_ client: Mortise) async throws {
        let shop = client.forWorkspace("shop")
        let keys = try await shop.admin.serviceKeys.list()
        print(keys.count)
    }

    static func example4(_ client: Mortise) async throws {
        let list = try await client.management.apiKeys.list()
        print(list.total)
    }

    static func example5(_ client: Mortise) async throws {
        for key in try await client.admin.serviceKeys.list() { print(key.name) }
        for try await key in client.admin.apiKeys.list() { print(key.name) }
    }

    static func example6(_ client: Mortise) async throws {
        let page = try await client.apiKeys.getAll(pageSize: 20)
        print(page.totalCount)
    }

    static func example7(_ client: Mortise) async throws {
        let rotated = try await client.admin.serviceKeys.rotate("0198c0de-0000-7000-8000-000000000001")
        print(rotated.serviceKey.keyPrefix)
    }

    static func example8(_ client: Mortise) async throws {
        try await client.admin.serviceKeys.disable("0198c0de-0000-7000-8000-000000000001")
    }

    static func example9(_ client: Mortise) async throws {
        for try await key in client.admin.apiKeys.list() { print(key.id, key.name) }
    }
}
