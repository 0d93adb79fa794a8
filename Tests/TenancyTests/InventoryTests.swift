import Postgres
import Tenancy
import TestSupport
import Testing

/// The inventory of an installation, which a backup is made of.
@Suite(.hangLimit) struct InventoryTests {
    // The fault: a backup of a standby that is an hour behind said that it had every change of that hour. Keys that were revoked in it
    // worked again after the restoration, and nobody looked for them.
    @Test func `no backup is made of a standby`() async throws {
        try await withReplicatedServer { server in
            let test = TestInstallation(
                owner: server.primary.configuration(database: "mortise"),
                installation: .standard
            )
            let control = try await test.bootstrap()
            try await control.withInventory { inventory, _ in #expect(inventory.databases.count == 1) }
            try await server.waitForStandby()
            let standby = try await server.standby(database: "mortise")
            let found = try await ControlDatabase.inspect(
                owner: standby,
                installation: .standard,
                credentials: ClusterCredentials(
                    runtimePassword: { _ in TestInstallation.password },
                    ownerPassword: { _ in standby.password }
                ),
                version: "1.0",
                reactor: TestReactor.shared,
                logger: test.logs.logger
            )
            let copy = try #require(found.control)
            let refusal = await #expect(throws: TenancyError.self) { try await copy.withInventory { _, _ in } }
            #expect(refusal?.code == .incompatible && refusal?.message.contains("is a standby") == true)
        }
    }
}
