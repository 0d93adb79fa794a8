import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

/// The service's own role, as an attacker would have it who found a way to run SQL through the service.
@Suite(.hangLimit) struct RuntimeRoleTests {
    // Attack: cover a deed up by rewriting the audit trail.
    @Test func `history can be added to and not changed, by nobody`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            let database = test.owner.database ?? ""
            let insertion = """
                INSERT INTO auth.key_events (id, type, actor)
                VALUES ('00000000-0000-7000-8000-00000000000a', 'created', 'somebody')
                """
            let attacks = [
                "UPDATE auth.key_events SET actor = 'nobody'", "DELETE FROM auth.key_events",
                "DELETE FROM auth.key_events WHERE false", "TRUNCATE auth.key_events",
            ]
            try await test.withRuntime(database) { runtime in
                #expect(await runtime.refusal(of: insertion) == nil)
                for attack in attacks {
                    #expect(await runtime.refusal(of: attack) == .insufficientPrivilege, "\(attack)")
                }
            }
            try await test.withDatabase(database) { owner in
                for attack in attacks {
                    #expect(await owner.refusal(of: attack) == .insufficientPrivilege, "\(attack)")
                }
                let actors = try await owner.texts("SELECT actor FROM auth.key_events WHERE actor = 'somebody'")
                #expect(actors.count == 1)
            }
        }
    }

    // Attack: leave something behind in the schema that the owner will run.
    @Test(arguments: [
        "CREATE TABLE auth.t (id int)", "CREATE TABLE control.t (id int)", "CREATE TABLE public.t (id int)",
        "CREATE SCHEMA s", "CREATE TEMPORARY TABLE t (id int)", "CREATE DATABASE d", "CREATE ROLE r",
        "ALTER TABLE auth.service_keys ADD x int", "DROP TABLE auth.idempotency",
        "ALTER TABLE auth.key_events DISABLE TRIGGER ALL", "SELECT * FROM mortise.migrations",
    ])
    func `the runtime role can define nothing`(attack: String) async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            try await test.withRuntime(test.owner.database ?? "") { runtime in
                #expect(await runtime.refusal(of: attack) == .insufficientPrivilege)
            }
        }
    }

    // Attack: bring a suspended workspace back, or move one to another owner or database.
    @Test func `the runtime role can change no state and no owner`() async throws {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let workspace = try await test.makeTenant(provisioner)
            try await test.withRuntime(workspace.database) { runtime in
                #expect(
                    await runtime.refusal(of: "UPDATE auth.workspace SET state = 'active'") == .insufficientPrivilege
                )
                #expect(await runtime.refusal(of: "DELETE FROM auth.workspace") == .insufficientPrivilege)
                // What a change of a key does, so that it cannot pass a suspension.
                #expect(await runtime.refusal(of: "SELECT 1 FROM auth.workspace FOR SHARE") == nil)
            }
            try await test.withRuntime(test.owner.database ?? "") { runtime in
                for column in ["state = 'active'", "organization_id = id", "database = 'postgres'", "ref = ref"] {
                    let attack = "UPDATE control.workspaces SET \(column)"
                    #expect(await runtime.refusal(of: attack) == .insufficientPrivilege, "\(attack)")
                }
                #expect(await runtime.refusal(of: "DELETE FROM control.workspaces") == .insufficientPrivilege)
                #expect(
                    await runtime.refusal(of: "UPDATE control.clusters SET conninfo = ''") == .insufficientPrivilege
                )
            }
            await provisioner.shutdown()
        }
    }

    // Attack: have the owner drop any database of the server, by a row that says that it is a workspace's and to be
    // deleted.
    @Test func `the runtime role can have the owner neither drop nor take over a database`() async throws {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let workspace = try await test.makeTenant(provisioner)
            let control = test.owner.database ?? ""
            func row(_ values: String) -> String {
                """
                WITH given AS (INSERT INTO control.workspace_refs VALUES ('AttackAt'))
                INSERT INTO control.workspaces (id, organization_id, ref, slug, cluster_id, state_event_id, database, state, target_state)
                SELECT gen_random_uuid(), organization_id, 'AttackAt', 'attack', cluster_id, state_event_id, \(values)
                FROM control.workspaces
                """
            }
            try await test.withRuntime(control) { runtime in
                for values in ["'x_w_AttackAt', 'deleting', NULL", "'x_w_AttackAt', 'active', 'suspended'"] {
                    #expect(await runtime.refusal(of: row(values)) == .insufficientPrivilege, "\(values)")
                }
                let other = "'\(workspace.database)', 'creating', NULL"
                #expect(await runtime.refusal(of: row(other)) == .checkViolation)
                // It may name another installation's database of that ref, which the owner then refuses to touch.
                #expect(await runtime.refusal(of: row("'x_w_AttackAt', 'creating', NULL")) == nil)
            }
            let report = try await provisioner.repairAll()
            #expect(report.reconciled.isEmpty && report.failed.count == 1)
            #expect(try await !test.databases().contains { $0.contains("AttackAt") })
            let made = try await withConnection(to: test.owner) {
                try await $0.texts("SELECT datname::text FROM pg_database WHERE datname = 'x_w_AttackAt'")
            }
            #expect(made.isEmpty)
            await provisioner.shutdown()
        }
    }

    // Attack: with the runtime role of one installation, read the tenants of another one on the same server.
    @Test func `one installation's role cannot connect to another's databases`() async throws {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let workspace = try await test.makeTenant(provisioner)
            let stranger = "\(test.installation.prefix)_stranger"
            try await administer("CREATE ROLE \(stranger) LOGIN PASSWORD 'guess'")
            for database in [workspace.database, test.owner.database ?? ""] {
                let configuration = test.owner.database(database).user(stranger, password: "guess")
                let error = await #expect(throws: PostgresError.self, "\(database)") {
                    try await withConnection(to: configuration) { _ in }
                }
                #expect(error?.sqlState == .insufficientPrivilege)
            }
            try await administer("DROP ROLE \(stranger)")
            await provisioner.shutdown()
        }
    }

    // A workspace that is not finished must not be usable: a key in it could vanish with a repair.
    @Test func `the runtime role cannot connect to a workspace before it is activated`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner.crashing(after: .initialized, control)
            await #expect(throws: Crash.self) { try await test.makeTenant(provisioner) }
            let name = try #require(try await test.databases().first { $0.contains("_w_") })
            await #expect(throws: PostgresError.self) { try await test.withRuntime(name) { _ in } }
            _ = try await provisioner.repairAll()
            try await test.withRuntime(name) { _ in }
            await provisioner.shutdown()
        }
    }
}
