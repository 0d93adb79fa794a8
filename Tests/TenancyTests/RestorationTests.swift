import KeyStore
import Keys
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct RestorationTests {
    private func withArchived(
        suspended isSuspended: Bool = false,
        _ body: (TestInstallation, ControlDatabase, Provisioner, Workspace) async throws -> Void
    ) async throws {
        try await withTenant { test, control, provisioner, workspace in
            if isSuspended { _ = try await provisioner.suspend(workspace.id, by: .system) }
            _ = try await provisioner.archive(workspace.id, by: .system)
            try await body(test, control, provisioner, workspace)
        }
    }

    private func state(_ test: TestInstallation, _ workspace: Workspace) async throws -> [String] {
        try await test.withRuntime(workspace.database) { try await $0.texts("SELECT state FROM auth.workspace") }
    }

    @Test(arguments: [false, true])
    func `a restored workspace has the state that it had before it was archived`(_ isSuspended: Bool) async throws {
        try await withArchived(suspended: isSuspended) { test, _, provisioner, workspace in
            let restored = try await provisioner.restore(workspace.id, by: Attribution(actor: "somebody"))
            #expect(restored.state == (isSuspended ? .suspended : .active))
            #expect(restored.archivedAt == nil)
            #expect(try await state(test, workspace) == [restored.state.rawValue])
            let event = """
                SELECT type || ' ' || actor || ' ' || (changes #>> '{state,from}') FROM auth.key_events
                WHERE workspace_id = '\(workspace.id)' ORDER BY id DESC LIMIT 1
                """
            let type = isSuspended ? "workspace.suspended" : "workspace.resumed"
            for database in [workspace.database, test.owner.database ?? ""] {
                #expect(
                    try await test.withRuntime(database) { try await $0.texts(event) } == ["\(type) somebody archived"]
                )
            }
            // A repeated restoration changes nothing.
            #expect(try await provisioner.restore(workspace.id, by: .system).state == restored.state)
            #expect(
                try await test.withRuntime(workspace.database) { try await $0.texts(event) }
                    == ["\(type) somebody archived"]
            )
        }
    }

    // The accident: a node dies in the middle of a suspension, and somebody archives the workspace before the suspension is completed. The
    // restoration let its keys in again.
    @Test func `a restored workspace has the state that somebody had asked for before it was archived`() async throws {
        try await withTenant { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: .requested, control)
            await #expect(throws: Crash.self) { try await crashing.suspend(workspace.id, by: .system) }
            await crashing.shutdown()
            _ = try await provisioner.archive(workspace.id, by: .system)
            let restored = try await provisioner.restore(workspace.id, by: .system)
            #expect(restored.state == .suspended)
            #expect(try await state(test, workspace) == ["suspended"])
        }
    }

    // The accident: somebody relies on the undo after its time. A restoration then would bring keys back that everybody
    // believes to be gone.
    @Test func `a workspace is not restored more than 30 days after its archival`() async throws {
        try await withArchived { test, _, provisioner, workspace in
            let age = { (interval: String) in
                try await test.withDatabase(test.owner.database ?? "") {
                    try await $0.script(
                        "UPDATE control.workspaces SET archived_at = now() - interval '\(interval)' WHERE id = '\(workspace.id)'"
                    )
                }
            }
            try await age("30 days 1 second")
            let error = await #expect(throws: TenancyError.self) {
                try await provisioner.restore(workspace.id, by: .system)
            }
            #expect(error?.code == .wrongState)
            #expect(error?.message.contains("30 days") == true)
            #expect(try await state(test, workspace) == ["archived"])
            try await age("29 days 23 hours")
            #expect(try await provisioner.restore(workspace.id, by: .system).state == .active)
        }
    }

    @Test(arguments: [ProvisioningStep.requested, .applied])
    func `an interrupted restoration is completed`(step: ProvisioningStep) async throws {
        try await withArchived { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: step, control)
            await #expect(throws: Crash.self) { try await crashing.restore(workspace.id, by: .system) }
            await crashing.shutdown()
            let restored = try await provisioner.restore(workspace.id, by: .system)
            #expect(restored.state == .active)
            #expect(try await state(test, workspace) == ["active"])
        }
    }

    // The attack: the restoration was interrupted when the keys were good again, and the row still says "archived". The workspace counts as one
    // whose keys are refused.
    @Test(arguments: [ProvisioningStep.requested, .applied])
    func `a workspace whose restoration was interrupted is deleted only after another archival`(
        step: ProvisioningStep
    ) async throws {
        try await withArchived { test, control, provisioner, workspace in
            let crashing = Provisioner.crashing(after: step, control)
            await #expect(throws: Crash.self) { try await crashing.restore(workspace.id, by: .system) }
            await crashing.shutdown()
            let error = await #expect(throws: TenancyError.self) {
                try await provisioner.delete(workspace.id, in: [.archived], by: .system)
            }
            #expect(error?.code == .wrongState)
            _ = try await provisioner.archive(workspace.id, by: .system)
            try await provisioner.delete(workspace.id, in: [.archived], by: .system)
            #expect(try await !test.databases().contains(workspace.database))
        }
    }
}
