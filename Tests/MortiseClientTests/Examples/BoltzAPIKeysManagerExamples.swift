import FoundationEssentials
import MortiseClient

/// The examples in `BoltzAPIKeysManager.swift`.
enum BoltzAPIKeysManagerExamples {
    static func example1(_ client: Mortise) async throws {
        let created = try await client.admin.apiKeys.create(name: "x")
        let revoked = try await client.admin.apiKeys.revoke(created.keyDetails.id)
        print(revoked.isActive)
    }

    static func example2(_ client: Mortise) async throws {
        let created = try await client.admin.apiKeys.create(
            name: "x",
            allowedIPs: ["203.0.113.7", "2001:db8::/32"],
            expiresInDays: 90
        )
        try created.key.reveal().write(toFile: "x.key", atomically: true, encoding: .utf8)
    }

    static func example3(_ client: Mortise) async throws {
        for try await key in client.admin.apiKeys.list(limit: 20) { print(key.id, key.name) }
    }

    static func example4(_ client: Mortise) async throws {
        let key = try await client.admin.apiKeys.revoke("api_key_0a1b2c3d0198c0de00007000800000000000000a")
        print(key.isActive)
    }
}
