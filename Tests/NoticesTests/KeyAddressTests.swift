import FoundationEssentials
import JSON
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing
import Verification

/// The addresses of the clients that used a key.
@Suite(.hangLimit) struct KeyAddressTests {
    private static func texts(_ mortise: ServerHarness, _ sql: String) async throws -> [String] {
        try await mortise.rows(try await mortise.workspaceDatabase(), sql).map { try $0.decode(0, as: String.self) }
    }

    private static func use(_ mortise: ServerHarness, _ token: String, from addresses: [String]) async throws {
        for address in addresses {
            #expect(try await mortise.verdict(token, ["address": .string(address)]) == "valid")
        }
        await mortise.flushUsage()
    }

    // The fault: a key in use writes a row each second.
    @Test func `each address of an accepted use is written once a day, and a refused use writes none`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey("a", ["allowed_ips": ["192.0.2.0/24"]])
            #expect(try await mortise.verdict(key.token, ["address": "198.51.100.1"]) == "wrong_address")
            let addresses = ["192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.7"]
            try await Self.use(mortise, key.token, from: addresses)
            let rows = "SELECT address FROM auth.key_addresses WHERE key_id = '\(key.id)' ORDER BY 1"
            #expect(try await Self.texts(mortise, rows) == ["192.0.2.7", "192.0.2.8", "192.0.2.9"])
            // The day of a row can only lie behind if the day ends during the test.
            try await mortise.inWorkspace("UPDATE auth.key_addresses SET day = day + 1")
            let versions = "SELECT address || ' ' || xmin FROM auth.key_addresses ORDER BY 1"
            let before = try await Self.texts(mortise, versions)
            try await Self.use(mortise, key.token, from: addresses)
            #expect(try await Self.texts(mortise, versions) == before)
            // On a later day, the row has the day of the last use.
            try await mortise.inWorkspace("UPDATE auth.key_addresses SET day = '2020-01-01'")
            try await Self.use(mortise, key.token, from: ["192.0.2.8"])
            let late = "SELECT address FROM auth.key_addresses WHERE day = '2020-01-01' ORDER BY 1"
            #expect(try await Self.texts(mortise, late) == ["192.0.2.7", "192.0.2.9"])
        }
    }

    // The attack: a client with a million addresses fills the table.
    @Test func `a key has at most a thousand addresses`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey("a")
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_addresses
                SELECT '\(key.id)', '10.0.' || n / 250 || '.' || n % 250, '2020-01-01' FROM generate_series(1, 999) n
                """
            )
            try await Self.use(mortise, key.token, from: ["192.0.2.7"])
            try await Self.use(mortise, key.token, from: ["192.0.2.8", "10.0.0.7"])
            #expect(try await Self.texts(mortise, "SELECT count(*)::text FROM auth.key_addresses") == ["1000"])
            let late = "SELECT address FROM auth.key_addresses WHERE day > '2020-01-01' ORDER BY 1"
            #expect(try await Self.texts(mortise, late) == ["10.0.0.7", "192.0.2.7"])
        }
    }

    // The accident: addresses of people are kept for years.
    @Test func `addresses without a use in 30 days are deleted, and those of deleted keys`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let (kept, gone) = (try await mortise.makeKey("kept"), try await mortise.makeKey("gone"))
            let client = try await mortise.makeClientKey("client")
            for key in [kept, gone, client] { try await Self.use(mortise, key.token, from: ["192.0.2.7"]) }
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_addresses
                VALUES ('\(kept.id)', '192.0.2.8', (now() AT TIME ZONE 'UTC')::date - 40)
                """
            )
            #expect(try await mortise.api.send("DELETE", gone.path, as: mortise.adminToken).status == 204)
            _ = try await mortise.server.platform.upkeep.expire(eventDays: nil)
            let rows = "SELECT key_id || ' ' || address FROM auth.key_addresses ORDER BY 1"
            #expect(try await Self.texts(mortise, rows) == [kept.id, client.id].sorted().map { "\($0) 192.0.2.7" })
        }
    }
}
