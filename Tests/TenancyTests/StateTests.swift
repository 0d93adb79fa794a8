import KeyStore
import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct StateTests {
    private func own(_ test: TestInstallation, _ workspace: Workspace) async throws -> [String] {
        try await test.withRuntime(workspace.database) {
            try await $0.texts("SELECT state || ' ' || generation FROM auth.workspace")
        }
    }

    @Test func `a suspension changes the row that lookups join before it returns`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            let by = Attribution(actor: "somebody")
            let suspended = try await provisioner.suspend(workspace.id, by: by)
            #expect(suspended.state == .suspended)
            #expect(suspended.targetState == nil)
            #expect(try await own(test, workspace) == ["suspended 2"])
            #expect(try await provisioner.resume(workspace.id, by: by).state == .active)
            #expect(try await own(test, workspace) == ["active 3"])
            let archived = try await provisioner.archive(workspace.id, by: by)
            #expect(archived.state == .archived)
            #expect(archived.archivedAt != nil)
            #expect(try await own(test, workspace) == ["archived 4"])
            let types = ["workspace.created", "workspace.suspended", "workspace.resumed", "workspace.archived"]
            let query = "SELECT type FROM auth.key_events WHERE workspace_id = '\(workspace.id)' ORDER BY id"
            for database in [workspace.database, test.owner.database ?? ""] {
                #expect(try await test.withRuntime(database) { try await $0.texts(query) } == types)
            }
        }
    }

    @Test func `a repeated suspension changes nothing and writes no event`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            _ = try await provisioner.suspend(workspace.id, by: .system)
            let again = try await provisioner.suspend(workspace.id, by: .system)
            #expect(again.state == .suspended)
            #expect(try await own(test, workspace) == ["suspended 2"])
            let events = try await test.withRuntime(workspace.database) {
                try await $0.texts("SELECT type FROM auth.key_events")
            }
            #expect(events.count == 2)
        }
    }

    // The accident: somebody restores the database of a stopped workspace by hand, from a time at which it was active.
    @Test(arguments: [WorkspaceState.suspended, .archived])
    func `a repeated change stops a workspace again whose own database says that it is active`(_ state: WorkspaceState)
        async throws
    {
        try await withTenant { test, _, provisioner, workspace in
            func stop() async throws -> Workspace {
                if state == .suspended { return try await provisioner.suspend(workspace.id, by: .system) }
                return try await provisioner.archive(workspace.id, by: .system)
            }
            func restore() async throws {
                try await test.withDatabase(workspace.database) {
                    try await $0.script("UPDATE auth.workspace SET state = 'active', generation = 1")
                }
            }
            _ = try await stop()
            try await restore()
            #expect(try await stop().state == state)
            #expect(try await own(test, workspace) == ["\(state) 2"])
            try await restore()
            let report = try await provisioner.reconcileAll(and: [workspace.id])
            #expect(report.reconciled == [workspace.id])
            #expect(try await own(test, workspace) == ["\(state) 2"])
        }
    }

    // The accident: an installation keeps events for 90 days, and a workspace has had its state for longer.
    @Test func `the state of a workspace can be changed when the event of the last change is gone`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            func forget() async throws {
                try await test.withDatabase(test.owner.database ?? "") {
                    try await $0.script(
                        """
                        ALTER TABLE auth.key_events DISABLE TRIGGER USER;
                        DELETE FROM auth.key_events;
                        ALTER TABLE auth.key_events ENABLE TRIGGER USER;
                        """
                    )
                }
            }
            try await forget()
            #expect(try await provisioner.suspend(workspace.id, by: .system).state == .suspended)
            try await forget()
            #expect(try await provisioner.suspend(workspace.id, by: .system).state == .suspended)
            #expect(try await provisioner.resume(workspace.id, by: .system).state == .active)
            try await forget()
            try await provisioner.delete(workspace.id, by: .system)
            #expect(try await test.withStore { try await $0.workspace(workspace.id) } == nil)
        }
    }

    // The states differ because of the same accident, or because somebody changed the control database by hand.
    @Test func `an examination of the fleet finds the workspaces whose two states differ`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            let early = try await provisioner.examineFleet().differences
            #expect(early.isEmpty)
            _ = try await provisioner.suspend(workspace.id, by: .system)
            let suspended = try await provisioner.examineFleet().differences
            #expect(suspended.isEmpty)
            try await test.withDatabase(workspace.database) {
                try await $0.script("UPDATE auth.workspace SET state = 'active'")
            }
            let difference = try await provisioner.examineFleet().differences
            #expect(difference.map(\.workspaceID) == [workspace.id])
            #expect(difference.first?.decided == .suspended && difference.first?.own == .active)
            // Nothing is corrected.
            #expect(try await own(test, workspace) == ["active 2"])
        }
    }

    // After a crash between the two databases, the requested change is completed with the event of its actor.
    @Test(arguments: [ProvisioningStep.requested, .applied, .completed])
    func `an interrupted change of state is completed`(step: ProvisioningStep) async throws {
        try await withTenant { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: step, control)
            await #expect(throws: Crash.self) {
                try await crashing.suspend(workspace.id, by: Attribution(actor: "somebody"))
            }
            await crashing.shutdown()
            #expect(try await provisioner.repairAll().reconciled == (step == .completed ? [] : [workspace.id]))
            #expect(try await own(test, workspace) == ["suspended 2"])
            let row = try await test.withStore { try await $0.workspace(workspace.id) }
            #expect(row?.state == .suspended)
            #expect(row?.targetState == nil)
            let actors = try await test.withRuntime(workspace.database) {
                try await $0.texts("SELECT actor FROM auth.key_events WHERE type = 'workspace.suspended'")
            }
            #expect(actors == ["somebody"])
        }
    }

    @Test func `a resumption replaces a suspension that was not completed`() async throws {
        try await withTenant { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: .requested, control)
            await #expect(throws: Crash.self) { try await crashing.suspend(workspace.id, by: .system) }
            await crashing.shutdown()
            let resumed = try await provisioner.resume(workspace.id, by: .system)
            #expect(resumed.state == .active)
            #expect(try await own(test, workspace).first?.hasPrefix("active") == true)
            #expect(try await provisioner.repairAll().reconciled.isEmpty)
        }
    }

    // The accident: a node dies between a suspension that another one had requested and the resumption that replaces it. The control database
    // called the workspace suspended, and its keys went on working.
    @Test func `a requested change that another one replaces takes effect, whatever becomes of the other one`()
        async throws
    {
        try await withTenant { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: .requested, control)
            await #expect(throws: Crash.self) { try await crashing.suspend(workspace.id, by: .system) }
            await crashing.shutdown()
            await #expect(throws: Crash.self) {
                try await provisioner.resume(workspace.id, by: .system) { _ in throw Crash() }
            }
            let repaired = try await provisioner.repairAll().reconciled
            #expect(repaired == [workspace.id])
            #expect(try await test.withStore { try await $0.workspace(workspace.id)?.state } == .suspended)
            #expect(try await own(test, workspace) == ["suspended 2"])
        }
    }

    // The attack: a node dies in the middle of an operator's suspension, and the organization asks for another state before it is carried out.
    @Test func `an operator's suspension that was not completed gives way to an operator alone`() async throws {
        try await withTenant { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: .requested, control)
            await #expect(throws: Crash.self) { try await crashing.suspend(workspace.id, by: .system, as: .platform) }
            await crashing.shutdown()
            let refusal = await #expect(throws: TenancyError.self) {
                try await provisioner.resume(workspace.id, by: .system)
            }
            #expect(refusal?.code == .heldByOperator)
            #expect(try await provisioner.suspend(workspace.id, by: .system).isHeldByOperator)
            #expect(try await own(test, workspace) == ["suspended 2"])
            let resumed = try await provisioner.resume(workspace.id, by: .system, as: .platform)
            #expect(resumed.state == .active && !resumed.isHeldByOperator)
        }
    }

    @Test func `the default workspace can be neither archived nor deleted`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            let found = try await test.withStore { try await $0.defaultWorkspace(of: workspace.organizationID) }
            let first = try #require(found)
            let archiving = await #expect(throws: TenancyError.self) {
                try await provisioner.archive(first.id, by: .system)
            }
            #expect(archiving?.code == .defaultWorkspace)
            let deleting = await #expect(throws: TenancyError.self) {
                try await provisioner.delete(first.id, by: .system)
            }
            #expect(deleting?.code == .defaultWorkspace)
            #expect(try await provisioner.suspend(first.id, by: .system).state == .suspended)
        }
    }

    @Test func `an archived workspace stays archived`() async throws {
        try await withTenant { _, _, provisioner, workspace in
            _ = try await provisioner.archive(workspace.id, by: .system)
            let suspension = await #expect(throws: TenancyError.self) {
                try await provisioner.suspend(workspace.id, by: .system)
            }
            let resumption = await #expect(throws: TenancyError.self) {
                try await provisioner.resume(workspace.id, by: .system)
            }
            #expect(suspension?.code == .wrongState && resumption?.code == .wrongState)
        }
    }

    // The attack: somebody reuses the ref of a deleted workspace, so that its old tokens reach another workspace.
    @Test func `a deletion removes the database and the row, keeps the events and never reuses the ref`()
        async throws
    {
        try await withTenant { test, _, provisioner, workspace in
            try await provisioner.delete(workspace.id, by: Attribution(actor: "somebody"))
            #expect(try await !test.databases().contains(workspace.database))
            #expect(try await test.withStore { try await $0.workspace(workspace.id) } == nil)
            let error = await #expect(throws: TenancyError.self) {
                try await provisioner.delete(workspace.id, by: .system)
            }
            #expect(error?.code == .unknownWorkspace)
            try await test.withRuntime(test.owner.database ?? "") { runtime in
                let types = try await runtime.texts(
                    "SELECT type FROM auth.key_events WHERE workspace_id = '\(workspace.id)' ORDER BY id"
                )
                #expect(types == ["workspace.created", "workspace.deleted"])
                let reuse = "INSERT INTO control.workspace_refs VALUES ('\(workspace.ref.text)')"
                #expect(await runtime.refusal(of: reuse) == .uniqueViolation)
            }
        }
    }

    @Test(arguments: [ProvisioningStep.requested, .dropped, .removed])
    func `an interrupted deletion is completed`(step: ProvisioningStep) async throws {
        try await withTenant { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: step, control)
            await #expect(throws: Crash.self) { try await crashing.delete(workspace.id, by: .system) }
            await crashing.shutdown()
            let repaired = try await provisioner.repairAll()
            #expect(repaired.reconciled == (step == .removed ? [] : [workspace.id]))
            #expect(try await !test.databases().contains(workspace.database))
            #expect(try await test.withStore { try await $0.workspace(workspace.id) } == nil)
        }
    }

    // A node that connects again must not be able to block a deletion.
    @Test func `a workspace in deletion refuses connections`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            try await test.withDatabase("postgres") { administrator in
                // DROP DATABASE refuses a template database, so the deletion stays pending.
                try await administrator.script("ALTER DATABASE \"\(workspace.database)\" IS_TEMPLATE true")
                await #expect(throws: PostgresError.self) { try await provisioner.delete(workspace.id, by: .system) }
                let error = await #expect(throws: PostgresError.self) {
                    try await test.withRuntime(workspace.database) { _ in }
                }
                #expect(error?.sqlState == .insufficientPrivilege)
                try await administrator.script("ALTER DATABASE \"\(workspace.database)\" IS_TEMPLATE false")
            }
            try await provisioner.delete(workspace.id, in: [], by: .system)
            #expect(try await test.withStore { try await $0.workspace(workspace.id) } == nil)
        }
    }

    @Test func `a workspace is deleted only in the states that the caller allows`() async throws {
        try await withTenant { test, _, provisioner, workspace async throws in
            let error = await #expect(throws: TenancyError.self) {
                try await provisioner.delete(workspace.id, in: [.archived], by: .system)
            }
            #expect(error?.code == .wrongState)
            #expect(try await test.withStore { try await $0.workspace(workspace.id)?.state } == .active)
        }
    }

    // The attack: nodes have the keys in memory, and nobody tells them that the workspace is gone. They accept the keys for a minute.
    @Test func `a deletion whose fence cannot be raised is not done, and a repetition finishes it`() async throws {
        try await withTenant { test, control, provisioner, workspace in
            let cluster = PostgresConnection.quote(identifier: test.installation.clusterDatabase)
            try await test.withDatabase("postgres") { administrator in
                try await administrator.script("ALTER DATABASE \(cluster) ALLOW_CONNECTIONS false")
                await #expect(throws: UnusableDatabase.self) { try await provisioner.delete(workspace.id, by: .system) }
                try await administrator.script("ALTER DATABASE \(cluster) ALLOW_CONNECTIONS true")
            }
            #expect(try await test.withStore { try await $0.workspace(workspace.id)?.state } == .deleting)
            let other = Provisioner(control, options: .ample)
            try await other.delete(workspace.id, in: [], by: .system)
            await other.shutdown()
            #expect(try await test.withStore { try await $0.workspace(workspace.id) } == nil)
        }
    }

    @Test func `a workspace that changed recently is not reconciled`() async throws {
        try await withTenant { test, control, provisioner, workspace async throws in
            let crashing = Provisioner.crashing(after: .requested, control)
            await #expect(throws: Crash.self) { try await crashing.suspend(workspace.id, by: .system) }
            await crashing.shutdown()
            #expect(try await provisioner.reconcileAll(idleFor: .seconds(3600)).reconciled.isEmpty)
            #expect(try await provisioner.reconcileAll().reconciled == [workspace.id])
        }
    }

    @Test func `a workspace with open connections can be deleted`() async throws {
        try await withTenant { test, _, provisioner, workspace in
            try await withConnection(to: test.owner.database(workspace.database)) { connection in
                try await connection.script("SELECT 1")
                try await provisioner.delete(workspace.id, by: .system)
            }
            #expect(try await !test.databases().contains(workspace.database))
        }
    }

    @Test func `a change waits for another change of the same workspace and fails after a maximum wait`() async throws {
        try await withTenant { test, control, _, workspace in
            var options = ProvisionerOptions.ample
            options.lockPatience = .zero
            let impatient = Provisioner(control, options: options)
            try await withConnection(to: test.owner) { holder in
                try await holder.script("SELECT pg_advisory_lock(\(try await Self.key(of: workspace, holder)))")
                let error = await #expect(throws: TenancyError.self) {
                    try await impatient.suspend(workspace.id, by: .system)
                }
                #expect(error?.code == .busy)
            }
            await impatient.shutdown()
        }
    }

    /// Returns the advisory lock's key: the first eight bytes of the SHA-256 of the lock's name, computed by
    /// PostgreSQL.
    private static func key(of workspace: Workspace, _ connection: PostgresConnection) async throws -> String {
        let name = "mortise workspace \(workspace.id)"
        let rows = try await connection.texts(
            "SELECT (('x' || left(encode(sha256('\(name)'), 'hex'), 16))::bit(64)::bigint)::text"
        )
        return try #require(rows.first)
    }
}
