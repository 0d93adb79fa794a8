import KeyStore
import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

/// The service's own role as used by an attacker who can run SQL through the service.
@Suite(.hangLimit) struct RuntimeRoleTests {
    // The attack: somebody hides an action by rewriting the events.
    @Test func `events can be inserted but neither changed nor deleted for 90 days, by any role`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            let database = test.owner.database ?? ""
            let insertion = """
                INSERT INTO auth.key_events (id, type, actor)
                VALUES ('00000000-0000-7000-8000-00000000000a', 'created', 'somebody')
                """
            let attacks = [
                "UPDATE auth.key_events SET actor = 'nobody'", "DELETE FROM auth.key_events",
                "TRUNCATE auth.key_events",
            ]
            try await test.withRuntime(database) { runtime in
                #expect(await runtime.refusal(of: insertion) == nil)
                for attack in attacks + ["DELETE FROM auth.key_events WHERE false"] {
                    #expect(await runtime.refusal(of: attack) == .insufficientPrivilege, "\(attack)")
                }
                // The one way to delete events ignores an instant that is too late.
                let early = try await EventStore(runtime).deleteOld(olderThanDays: 0)
                #expect(early == 0)
            }
            try await test.withDatabase(database) { owner in
                for attack in attacks {
                    #expect(await owner.refusal(of: attack) == .insufficientPrivilege, "\(attack)")
                }
                let actors = try await owner.texts("SELECT actor FROM auth.key_events WHERE actor = 'somebody'")
                #expect(actors.count == 1)
                try await owner.script(
                    """
                    INSERT INTO auth.key_events (id, type, actor, occurred_at)
                    SELECT gen_random_uuid(), 'created', 'long ago', now() - make_interval(days => age)
                    FROM unnest(ARRAY[89, 91, 200, 300]) age
                    """
                )
            }
            try await test.withRuntime(database) { runtime in
                var counts: [Int] = []
                for days in [250, 1, 1] { counts.append(try await EventStore(runtime).deleteOld(olderThanDays: days)) }
                #expect(counts == [1, 2, 0])
            }
        }
    }

    // The attack: somebody creates an object in the schema that the owner will run.
    @Test(arguments: [
        "CREATE TABLE auth.t (id int)", "CREATE TABLE control.t (id int)", "CREATE TABLE public.t (id int)",
        "CREATE SCHEMA s", "CREATE TEMPORARY TABLE t (id int)", "CREATE DATABASE d", "CREATE ROLE r",
        "ALTER TABLE auth.service_keys ADD x int", "DROP TABLE auth.idempotency",
        "ALTER TABLE auth.key_events DISABLE TRIGGER ALL", "SELECT * FROM mortise.migrations",
    ])
    func `the runtime role cannot define objects`(attack: String) async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            try await test.withRuntime(test.owner.database ?? "") { runtime in
                #expect(await runtime.refusal(of: attack) == .insufficientPrivilege)
            }
        }
    }

    // Decision 0005 says what PostgreSQL lets every role do, so that nobody relies on more than there is.
    @Test func `the runtime role can do what every role can in databases that are open to everybody`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            try await test.withRuntime("postgres") { runtime in
                #expect(await runtime.refusal(of: "CREATE TABLE public.t (id int)") == .insufficientPrivilege)
            }
            try await test.withRuntime(test.owner.database ?? "") { runtime in
                #expect(await runtime.refusal(of: "BEGIN; SELECT lo_create(0); ROLLBACK") == nil)
            }
        }
    }

    // The attack: somebody resumes a suspended workspace, or moves a workspace to another owner or database.
    @Test func `the runtime role can change neither the state nor the owner of a workspace`() async throws {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let workspace = try await test.makeTenant(provisioner)
            try await test.withRuntime(workspace.database) { runtime in
                #expect(
                    await runtime.refusal(of: "UPDATE auth.workspace SET state = 'active'") == .insufficientPrivilege
                )
                #expect(await runtime.refusal(of: "DELETE FROM auth.workspace") == .insufficientPrivilege)
                // A change of a key takes this lock, so that it cannot bypass a suspension.
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

    // The attack: a row claims that any database of the server belongs to a workspace in deletion, so that the owner
    // drops the database.
    @Test func `the runtime role cannot make the owner drop or take over a database`() async throws {
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
                // The row may name another installation's database of that ref. The owner then refuses to touch that
                // database.
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

    // The attack: the runtime role of one installation reads the tenants of another installation on the same server.
    @Test func `the role of one installation cannot connect to another installation's databases`() async throws {
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

    // An incomplete workspace must not be usable, because a repair could delete a key in it.
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
