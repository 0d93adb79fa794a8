import FoundationEssentials
import MortiseClient

/// The examples in `Boltz.swift`.
enum BoltzExamples {
    static func example1(_ client: Mortise) async throws {
        let created: Boltz.CreatedAPIKey = try await client.admin.apiKeys.create(name: "x")
        print(created.keyDetails.id)
    }

    static func example2(_ client: Mortise) async throws {
        for try await key in client.admin.apiKeys.list() where key.isActive { print(key.name, key.keyPrefix) }
    }

    static func example3(_ client: Mortise) async throws {
        for try await key in client.admin.apiKeys.list() where key.keyType == .admin { print(key.name) }
    }

    static func example4(_ client: Mortise) async throws {
        let created = try await client.admin.apiKeys.create(name: "x", expiresInDays: 30)
        try created.key.reveal().write(toFile: "x.key", atomically: true, encoding: .utf8)
    }

    static func example5(_ client: Mortise) async throws {
        let created = try await client.admin.apiKeys.create(name: "nightly", mode: .test)
        print(created.keyDetails.isLive)
    }
}
